"""A Gaussian process through noisy scores: what functions it allows between them."""

from dataclasses import dataclass, replace
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Indices: TypeAlias = NDArray[np.intp]

JITTER = 1e-6


@dataclass(frozen=True)
class Belief:
    """What is known of the noise before any neighbours are compared: its likely variance and how sure that is."""

    variance: float
    spread: float
    """The standard deviation of the variance's logarithm."""


@dataclass(frozen=True)
class Shape:
    """How far apart points are alike, for each parameter; how far the function goes up and down; and the noise."""

    lengths: Floats
    signal: float
    noise: float

    @property
    def theta(self) -> Floats:
        return np.asarray(np.log(np.append(self.lengths, [self.signal, self.noise])))

    @classmethod
    def at(cls, theta: Floats) -> Self:
        values = np.exp(theta)
        return cls(values[:-2], float(values[-2]), float(values[-1]))

    def without(self, index: int) -> "Shape":
        """The same for one parameter less."""
        return Shape(np.delete(self.lengths, index), self.signal, self.noise)

    def covariance(self, squares: Floats) -> tuple[Floats, Floats]:
        """Matern 5/2 of squared distances in lengths, and its slope by them."""
        root = np.sqrt(5 * squares)
        decay = self.signal * np.exp(-root)
        alike: Floats = decay * (1 + root + root**2 / 3)
        return alike, decay * (-5 / 6) * (1 + root)


@dataclass(frozen=True)
class Sample:
    """Scores at some points, how loud the noise is on each beside the others, and the belief about it."""

    scores: Floats
    loudness: Floats
    belief: Belief
    uneven: bool = True
    """Whether the noise may be louder on some scores than on others."""

    def of(self, chosen: Indices) -> "Sample":
        return replace(self, scores=self.scores[chosen], loudness=self.loudness[chosen])


@dataclass(frozen=True)
class Surface:
    """What scores at some points say of the function everywhere; points are columns of numbers, each of a parameter."""

    shape: Shape
    owners: Indices
    points: Floats
    factor: Floats
    weights: Floats

    @classmethod
    def through(cls, shape: Shape, owners: Indices, points: Floats, sample: Sample) -> Self:
        from scipy.linalg import solve_triangular

        scaled = points / shape.lengths[owners]
        noise = np.diag(shape.noise * sample.loudness + JITTER)
        covariance = shape.covariance(_squares(scaled, scaled))[0] + noise
        factor = np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
        return cls(shape, owners, scaled, factor, solve_triangular(factor, sample.scores, lower=True))

    def predict(self, points: Floats) -> tuple[Floats, Floats]:
        """The mean and the deviation at each point, without the noise."""
        explained = self._explained(points / self.shape.lengths[self.owners])
        left = self.shape.signal - np.einsum("ij,ij->j", explained, explained)
        return self.weights @ explained, np.sqrt(np.maximum(left, 0.0))

    def draw(self, points: Floats, count: int, rng: np.random.Generator) -> Floats:
        """Functions that the scores allow, as likely as they are: one row each, a value for each point."""
        scaled = points / self.shape.lengths[self.owners]
        explained = self._explained(scaled)
        covariance = self.shape.covariance(_squares(scaled, scaled))[0] - explained.T @ explained
        covariance[np.diag_indices(len(points))] += JITTER * self.shape.signal * 10
        drawn = rng.standard_normal((count, len(points))) @ np.linalg.cholesky(covariance).T
        return np.asarray(self.weights @ explained + drawn, dtype=np.float64)

    def _explained(self, scaled: Floats) -> Floats:
        from scipy.linalg import solve_triangular

        shared = self.shape.covariance(_squares(self.points, scaled))[0]
        return np.asarray(solve_triangular(self.factor, shared, lower=True), dtype=np.float64)


def _squares(first: Floats, second: Floats) -> Floats:
    """Squared distances of all pairs of rows."""
    lengths = np.einsum("ij,ij->i", first, first)[:, None] + np.einsum("ij,ij->i", second, second)
    return np.asarray(np.maximum(lengths - 2 * first @ second.T, 0.0), dtype=np.float64)
