"""A Gaussian process over points of the unit cube, and what it expects where nothing was tried."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Self

import numpy as np

from service.search.axes import Floats
from service.search.features import Places
from service.search.likelihood import ROOT_5, Hyperparameters, likeliest

SMALLEST_VARIANCE = 1e-12


@dataclass(frozen=True)
class Process:
    """A Matern 5/2 kernel with a length for each column, and noise, given scores of mean about 0.

    scikit-optimize's regressor makes it and is asked no more: it starts anew with each result,
    inverts by way of a triangular one, and gives slopes for one point at a time.
    """

    scale: float
    lengths: Floats
    noise: float
    known: Floats
    """The columns of the points, in lengths."""
    whitening: Floats
    """The inverse of the lower triangular factor of the points' covariance.

    With the covariance's own inverse rounding errors of points side by side would grow by the square.
    """
    weights: Floats
    """The covariance's inverse times the scores."""

    @classmethod
    def fitted(cls, columns: Floats, groups: Places, scores: Floats) -> Self:
        """The process under which the scores are likeliest."""
        found = _fitted(columns.shape, columns.tobytes(), tuple(groups.tolist()), scores.tobytes())
        assert isinstance(found, cls)
        return found

    @classmethod
    def of(cls, found: Hyperparameters, groups: Places, columns: Floats, scores: Floats) -> Self:
        lengths = np.array(found.lengths)[groups]
        model = _regressor(found.scale, lengths, found.noise).fit(columns, scores)
        return cls(found.scale, lengths, found.noise, columns / lengths, _inverted(model.L_), model.alpha_)

    def with_points(self, columns: Floats) -> Self:
        """The same process with more points, to be told their scores; the whitening grows by a block."""
        from scipy.linalg import cholesky

        if len(columns) == 0:
            return self
        more = columns / self.lengths
        shared = self._covariance(more, self.known) @ self.whitening.T
        own = self._covariance(more, more) + self.noise * np.eye(len(more)) - shared @ shared.T
        block = _inverted(cholesky(own, lower=True))
        corner = -block @ shared @ self.whitening
        whitening = np.block([[self.whitening, np.zeros_like(corner.T)], [corner, block]])
        return replace(self, known=np.vstack([self.known, more]), whitening=whitening)

    def with_scores(self, scores: Floats) -> Self:
        return replace(self, weights=self.whitening.T @ (self.whitening @ scores))

    def predict(self, columns: Floats) -> tuple[Floats, Floats]:
        """The mean and the deviation at each point, of the function without its noise."""
        shared = self._covariance(columns / self.lengths, self.known)
        explained = shared @ self.whitening.T
        variance = self.scale - np.einsum("mn,mn->m", explained, explained)
        return shared @ self.weights, np.sqrt(np.maximum(variance, SMALLEST_VARIANCE))

    def slopes(self, columns: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """The mean and the deviation at each point, and how each changes along every column."""
        apart = (columns / self.lengths)[:, np.newaxis, :] - self.known
        root = ROOT_5 * np.sqrt(np.einsum("mnc,mnc->mn", apart, apart))
        fall = self.scale * np.exp(-root)
        shared = (1 + root + root * root / 3) * fall
        explained = shared @ self.whitening.T
        variance = self.scale - np.einsum("mn,mn->m", explained, explained)
        deviation = np.sqrt(np.maximum(variance, SMALLEST_VARIANCE))
        steep = -5 / 3 * (1 + root) * fall
        of_mean = np.einsum("mn,mnc->mc", steep * self.weights, apart) / self.lengths
        leaning = steep * (explained @ self.whitening)
        of_deviation = -np.einsum("mn,mnc->mc", leaning, apart) / self.lengths / deviation[:, np.newaxis]
        return shared @ self.weights, deviation, of_mean, of_deviation

    def distances(self, columns: Floats, others: Floats) -> Floats:
        """How far points are from others, in lengths."""
        from scipy.spatial.distance import cdist

        return np.asarray(cdist(columns / self.lengths, others / self.lengths))

    def _covariance(self, some: Floats, others: Floats) -> Floats:
        from scipy.spatial.distance import cdist

        root = ROOT_5 * cdist(some, others)
        return np.asarray(self.scale * (1 + root + root * root / 3) * np.exp(-root))


@lru_cache(maxsize=16)
def _fitted(shape: tuple[int, int], columns: bytes, groups: tuple[int, ...], scores: bytes) -> Process:
    points, of_parameter, values = np.frombuffer(columns).reshape(shape), np.array(groups), np.frombuffer(scores)
    return Process.of(likeliest(points, of_parameter, values), of_parameter, points, values)


def _regressor(scale: float, lengths: Floats, noise: float) -> Any:
    # More than a second to import, for which a server that never models should not wait.
    from skopt.learning.gaussian_process import GaussianProcessRegressor
    from skopt.learning.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    signal = ConstantKernel(scale, "fixed") * Matern(lengths, "fixed", nu=2.5)
    return GaussianProcessRegressor(kernel=signal + WhiteKernel(noise, "fixed"), optimizer=None)


def _inverted(factor: Floats) -> Floats:
    from scipy.linalg import solve_triangular

    return np.asarray(solve_triangular(factor, np.eye(len(factor)), lower=True))
