"""How likely scores are under a Gaussian process, and the likeliest one."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from service.narrowing.surface import JITTER, Floats, Indices, Sample, Shape

STEPS = 25
SHORTEST, LONGEST = 0.12, 30.0
QUIETEST, LOUDEST = 1e-4, 2.0
FLATTEST, STEEPEST = 0.05, 20.0
SIGNAL_SPREAD = 1.0


def fitted(squares: Floats, sample: Sample, start: Shape) -> tuple[Shape, float]:
    """The likeliest shape near a start, and the logarithm of how likely the scores are under it.

    `squares` are the squared differences of all pairs of points, one row for each parameter.
    """
    from scipy.optimize import minimize

    def unlikelihood(theta: Floats) -> tuple[float, Floats]:
        value, slope = likelihood(squares, sample, Shape.at(theta))
        return -value, -slope

    bounds = np.log([(SHORTEST, LONGEST)] * len(squares) + [(FLATTEST, STEEPEST), (QUIETEST, LOUDEST)])
    first = np.clip(start.theta, bounds[:, 0], bounds[:, 1])
    best = minimize(unlikelihood, first, jac=True, bounds=bounds, method="L-BFGS-B", options={"maxiter": STEPS})
    return Shape.at(best.x), -float(best.fun)


def likelihood(squares: Floats, sample: Sample, shape: Shape) -> tuple[float, Floats]:
    """The logarithm of how likely the scores are with a shape and a belief, and its slope by the shape's logarithm.

    Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, equations 5.8 and 5.9.
    """
    scores, belief = sample.scores, sample.belief
    near, slope = shape.covariance(shape.lengths**-2.0 @ squares)
    solved = _solved(near, shape, sample)
    first, second = pairs(len(scores))
    pull = solved.weights.take(first) * solved.weights.take(second) - solved.inverse.take(_places(len(scores)))
    own = np.square(solved.weights) - np.diag(solved.inverse)
    value = -0.5 * float(scores @ solved.weights) - solved.half_log_determinant
    # Each pair stands for two places of the covariance.
    by_length = -2 * shape.lengths**-2.0 * (squares @ (pull * slope))
    by_rest = np.array([pull @ near + 0.5 * shape.signal * own.sum(), 0.5 * shape.noise * sample.loudness @ own])
    # Lengths have no likeliest value: one would count for or against a parameter's mattering.
    spread = np.array([SIGNAL_SPREAD, belief.spread])
    away = np.log([shape.signal, shape.noise / np.clip(belief.variance, QUIETEST, LOUDEST)]) / spread
    return value - 0.5 * float(away @ away), np.append(by_length, by_rest - away / spread)


def left_out(squares: Floats, sample: Sample, shape: Shape) -> tuple[Floats, Floats]:
    """What the others say of each score, and how far off it is in standard deviations: equations 5.10 to 5.12."""
    solved = _solved(shape.covariance(shape.lengths**-2.0 @ squares)[0], shape, sample)
    precision = np.diag(solved.inverse)
    return sample.scores - solved.weights / precision, solved.weights / np.sqrt(precision)


@cache
def pairs(count: int) -> tuple[Indices, Indices]:
    """All pairs of so many points, the later one first."""
    first, second = np.tril_indices(count, -1)
    return first, second


@cache
def _places(count: int) -> Indices:
    """Where each pair lies in a square matrix, row after row."""
    first, second = pairs(count)
    return first * count + second


@dataclass(frozen=True)
class _Solved:
    """The inverse of a covariance, of which only the lower half counts, and the scores times it."""

    inverse: Floats
    weights: Floats
    half_log_determinant: float


def _solved(near: Floats, shape: Shape, sample: Sample) -> _Solved:
    """`near` is the covariance of each pair of points."""
    from scipy.linalg import lapack

    covariance = np.diag(shape.signal + shape.noise * sample.loudness + JITTER)
    covariance.put(_places(len(covariance)), near)
    # Its lower half is the upper one of what LAPACK takes it for, by columns: nothing is copied.
    factor, wrong = lapack.dpotrf(covariance.T, lower=False, clean=False, overwrite_a=True)
    if wrong:
        raise np.linalg.LinAlgError("a covariance that is not positive definite")
    weights, _ = lapack.dpotrs(factor, sample.scores)
    half_log_determinant = float(np.log(np.diag(factor)).sum())
    inverse, _ = lapack.dpotri(factor, overwrite_c=True)
    return _Solved(np.asarray(inverse.T), np.asarray(weights), half_log_determinant)
