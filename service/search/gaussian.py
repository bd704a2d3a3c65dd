"""A Gaussian process over points of the unit cube, and what it expects where nothing was tried."""

from dataclasses import dataclass
from typing import Any, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Acquisition: TypeAlias = Literal["EI", "PI", "LCB"]

STEPS = 15
SMALLEST_DEVIATION = 1e-9


@dataclass(frozen=True)
class Process:
    """scikit-optimize's regressor with a Matern 5/2 kernel, a length scale for each column, and noise.

    The length scales are sought here and not by its own `fit`, which goes to the end of every
    search (seconds, at a few hundred points) and warns of each scale that meets a bound.
    skopt takes more than a second to import, for which a server that never models should not
    wait: so it is imported where it is used.
    """

    model: Any

    @classmethod
    def fitted(cls, points: Floats, values: Floats) -> Self:
        """The process under which values of mean 0 and deviation 1 are about the likeliest."""
        from scipy.optimize import minimize

        prior = cls._with(_kernel(points.shape[1]), points, values)
        if not np.any(values):
            return prior

        def unlikelihood(theta: Floats) -> tuple[float, Floats]:
            value, slope = prior.model.log_marginal_likelihood(theta, eval_gradient=True, clone_kernel=False)
            return (-value, -slope) if np.isfinite(value) else (1e25, np.zeros_like(theta))

        start = prior.model.kernel_.theta.copy()
        bounds = prior.model.kernel_.bounds
        best = minimize(unlikelihood, start, jac=True, bounds=bounds, method="L-BFGS-B", options={"maxiter": STEPS})
        return cls._with(prior.model.kernel_.clone_with_theta(best.x), points, values)

    @classmethod
    def _with(cls, kernel: Any, points: Floats, values: Floats) -> Self:
        from skopt.learning.gaussian_process import GaussianProcessRegressor

        return cls(GaussianProcessRegressor(kernel=kernel, optimizer=None).fit(points, values))

    def knowing(self, points: Floats, values: Floats) -> Self:
        """The same process with other data."""
        return self._with(self.model.kernel_, points, values)

    def predict(self, points: Floats) -> tuple[Floats, Floats]:
        """The mean and the deviation at each point, of the function without its noise."""
        from scipy.linalg import solve_triangular

        signal = self.model.kernel_.k1
        shared = signal(points, self.model.X_train_)
        explained = solve_triangular(self.model.L_, shared.T, lower=True)
        variance = signal.diag(points) - np.einsum("ij,ij->j", explained, explained)
        return shared @ self.model.alpha_, np.sqrt(np.maximum(variance, SMALLEST_DEVIATION**2))


def _kernel(columns: int) -> Any:
    from skopt.learning.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    signal = ConstantKernel(1.0, (0.05, 20.0)) * Matern(np.full(columns, 0.5), [(0.02, 20.0)] * columns, nu=2.5)
    return signal + WhiteKernel(0.01, (1e-6, 1.0))


def promise(acquisition: Acquisition, mean: Floats, deviation: Floats, best: float, xi: float, kappa: float) -> Floats:
    """How much a trial at each point promises, where more is better: see scikit-optimize's acquisition functions."""
    from scipy.special import ndtr

    if acquisition == "LCB":
        return mean + kappa * deviation
    gain = mean - best - xi
    ratio = gain / deviation
    if acquisition == "PI":
        return np.asarray(ndtr(ratio), dtype=np.float64)
    density = np.exp(-0.5 * np.square(np.clip(ratio, -1e3, 1e3))) / np.sqrt(2 * np.pi)
    return np.asarray(gain * ndtr(ratio) + deviation * density, dtype=np.float64)
