"""Which lengths, scale and noise make what was seen the likeliest, as far as they are likely themselves."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from service.search.axes import Floats
from service.search.features import Places

STEPS = 60
SCALE, LENGTH, NOISE = (0.0, 1.0), (-0.6, 0.6), (-9.0, 2.5)
"""Of the logarithms of the signal's variance, of a length in widths of the box and of the noise: mean and deviation."""
ROOT_5 = 5**0.5
UNLIKELY = 1e25


@dataclass(frozen=True)
class Hyperparameters:
    scale: float
    lengths: tuple[float, ...]
    noise: float


@dataclass(frozen=True)
class Prior:
    """Normal distributions of the logarithms, cut at bounds."""

    means: Floats
    deviations: Floats
    bounds: Floats

    @classmethod
    def over(cls, parameters: int) -> Self:
        """Points lie the farther apart the more parameters there are, and lengths are expected to grow with them."""
        length = LENGTH[0] + math.log(parameters) / 2
        return cls(
            np.array([SCALE[0], *[length] * parameters, NOISE[0]]),
            np.array([SCALE[1], *[LENGTH[1]] * parameters, NOISE[1]]),
            np.log([(0.01, 30.0), *[(0.01, 100.0)] * parameters, (1e-7, 1.0)]),
        )

    def unlikelihood(self, theta: Floats) -> tuple[float, Floats]:
        off = (theta - self.means) / self.deviations
        return float(0.5 * off @ off), off / self.deviations

    def start(self, shorter: float, noise: float) -> Floats:
        start = self.means.copy()
        start[1:-1] += math.log(shorter)
        start[-1] = math.log(noise)
        return start


def likeliest(columns: Floats, groups: Places, scores: Floats) -> Hyperparameters:
    """The better mode of the posterior of two that descents find: what varies is signal, or it is noise."""
    from scipy.optimize import minimize

    prior = Prior.over(int(groups.max()) + 1)

    def unlikelihood(theta: Floats) -> tuple[float, Floats]:
        seen, believed = unlikelihood_of(columns, groups, scores, theta), prior.unlikelihood(theta)
        return seen[0] + believed[0], seen[1] + believed[1]

    options = {"maxiter": STEPS}
    starts = [prior.start(shorter=0.3, noise=1e-3), prior.start(shorter=1.0, noise=0.1)]
    modes = [
        minimize(unlikelihood, s, jac=True, bounds=prior.bounds, method="L-BFGS-B", options=options) for s in starts
    ]
    scale, *lengths, noise = np.exp(min(modes, key=lambda mode: mode.fun).x).tolist()
    return Hyperparameters(scale, tuple(lengths), noise)


def unlikelihood_of(columns: Floats, groups: Places, scores: Floats, theta: Floats) -> tuple[float, Floats]:
    """Minus the logarithm of the scores' likelihood, and its slope in the logarithms of scale, lengths and noise.

    The slope in a length is a sum over all pairs of points, taken as a product of matrices; the
    regressor's own keeps a matrix of pairs for each length.
    """
    from scipy.linalg import cho_solve
    from scipy.linalg.lapack import dpotrf
    from scipy.spatial.distance import cdist

    scale, lengths, noise = np.exp(theta[0]), np.exp(theta[1:-1]), np.exp(theta[-1])
    x = columns / lengths[groups]
    root = ROOT_5 * cdist(x, x)
    fall = scale * np.exp(-root)
    signal = (1 + root + root * root / 3) * fall
    factor, failed = dpotrf(signal + noise * np.eye(len(x)), lower=1, clean=1)
    if failed:
        return UNLIKELY, np.zeros_like(theta)
    weights = cho_solve((factor, True), scores)
    value = 0.5 * scores @ weights + np.log(np.diag(factor)).sum()
    pull = np.outer(weights, weights) - cho_solve((factor, True), np.eye(len(x)))
    pairs = pull * (5 / 3) * (1 + root) * fall
    of_columns = ((pairs.sum(axis=1)[:, np.newaxis] * x - pairs @ x) * x).sum(axis=0)
    of_lengths = np.bincount(groups, of_columns)
    slope = [-0.5 * (pull * signal).sum(), *-of_lengths, -0.5 * noise * np.trace(pull)]
    return float(value), np.array(slope)
