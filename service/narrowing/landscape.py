"""What is known of values and of failures together: heights of which more is better, with pits where trials fail."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.narrowing.relevance import Fit
from service.narrowing.surface import Floats

PIT = 1e3
DOUBT = 2.0


@dataclass(frozen=True)
class Failures:
    """A fit to whether trials failed, as scores, and the score from which a point is one where they fail."""

    fit: Fit
    threshold: float


@dataclass(frozen=True)
class Landscape:
    """Values where trials do not fail, and where they fail; either may have nothing to tell."""

    values: Fit | None
    failures: Failures | None

    @property
    def chances(self) -> Floats:
        """The chance of each parameter, of the two fits the smaller, for having been asked twice twice as large."""
        fits = [self.values, None if self.failures is None else self.failures.fit]
        known = [fit.chances for fit in fits if fit is not None]
        return np.asarray(np.minimum(1.0, np.min(known, axis=0) * len(known)))

    def predict(self, columns: Floats) -> tuple[Floats, Floats]:
        """The mean and the deviation at each point, deep down where trials are all but sure to fail."""
        mean, deviation = np.zeros(len(columns)), np.ones(len(columns))
        if self.values is not None:
            mean, deviation = self.values.surface.predict(columns)
        if self.failures is not None:
            failing, doubt = self.failures.fit.surface.predict(columns)
            mean = mean - _depth(failing - DOUBT * doubt, self.failures.threshold)
        return mean, deviation

    def draw(self, columns: Floats, nearest: Floats, count: int, rng: np.random.Generator) -> Floats:
        """Functions that the trials allow: one row each, a height for each point.

        Failures are looked up at the nearest points of the box: what fails at an end fails beyond it.
        """
        if self.values is None:
            heights: Floats = rng.standard_normal((count, len(columns)))
        else:
            heights = self.values.surface.draw(columns, count, rng)
        if self.failures is None:
            return heights
        failing = self.failures.fit.surface.draw(nearest, count, rng)
        return np.asarray(heights - _depth(failing, self.failures.threshold))


def _depth(failing: NDArray[np.float64], threshold: float) -> Floats:
    return np.where(failing > threshold, PIT * (1 + np.maximum(failing - threshold, 0)), 0.0)
