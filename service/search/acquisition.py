"""How much a trial promises where a model expects a mean and a deviation, on a logarithmic scale."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from service.search.axes import Floats

Acquisition: TypeAlias = Literal["EI", "PI", "LCB"]
LOG_ROOT_TAU = 0.5 * np.log(2 * np.pi)
FAR_BELOW = -1e3


@dataclass(frozen=True)
class Promise:
    """The logarithm of the expected improvement or of its probability, or an optimistic bound: more is better."""

    acquisition: Acquisition
    best: float
    """The mean at the best point, which is to be improved on."""
    xi: float
    kappa: float

    def of(self, mean: Floats, deviation: Floats) -> Floats:
        return self.slopes(mean, deviation)[0]

    def slopes(self, mean: Floats, deviation: Floats) -> tuple[Floats, Floats, Floats]:
        """The promise, and how it changes with the mean and with the deviation."""
        from scipy.special import log_ndtr

        if self.acquisition == "LCB":
            return mean + self.kappa * deviation, np.ones_like(mean), np.full_like(mean, self.kappa)
        ratio = (mean - self.best - self.xi) / deviation
        log_density = -0.5 * ratio * ratio - LOG_ROOT_TAU
        if self.acquisition == "PI":
            value = log_ndtr(ratio)
            steep = np.exp(log_density - value) / deviation
            return value, steep, -ratio * steep
        gain, chance, density = gains(ratio)
        return gain + np.log(deviation), chance / deviation, density / deviation


def gains(ratio: Floats) -> tuple[Floats, Floats, Floats]:
    """log h, Phi/h and phi/h for h = phi(z) + z Phi(z), far below 0 too (Ament et al. 2023, appendix A)."""
    from scipy.special import erfcx, ndtr

    near, below = np.maximum(ratio, -1.0), np.minimum(ratio, -1.0)
    density, chance = np.exp(-0.5 * near * near - LOG_ROOT_TAU), ndtr(near)
    gain = density + near * chance
    # Below, all three are taken as shares of phi; h's is 1/z^2 where a difference would leave nothing of it.
    mills = (np.pi / 2) ** 0.5 * erfcx(-below / 2**0.5)
    share = np.where(below > FAR_BELOW, 1 + below * mills, below**-2.0)
    low = -0.5 * below * below - LOG_ROOT_TAU + np.log(share)
    is_near = ratio > -1.0
    return (
        np.where(is_near, np.log(gain), low),
        np.where(is_near, chance / gain, mills / share),
        np.where(is_near, density / gain, 1 / share),
    )
