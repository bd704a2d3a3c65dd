"""Dropout: a layer that leaves random units out of each step, so that none can rely on another."""

import numpy as np
import numpy.typing as npt

from trainer.arrays import Floats
from trainer.layers import Layer


class Dropout(Layer):
    """y = x mask / (1 - share), the mask 0 with the probability share, else 1 (Srivastava et al. 2014).

    Inverted: the division keeps the mean of each unit, so that nothing is scaled outside of training,
    where y = x.
    """

    def __init__(self, share: float, width: int, rows: int, rng: np.random.Generator, dtype: npt.DTypeLike) -> None:
        self.share = share
        self.rng = rng
        self._room = [np.empty((rows, width), dtype), np.empty((rows, width), dtype), np.empty((rows, width), bool)]

    def resize(self, rows: int) -> None:
        """Get ready for batches of that many rows."""
        self._y, self._factors, self._kept = (buffer[:rows] for buffer in self._room)

    def forward(self, x: Floats, *, training: bool) -> Floats:
        """x mask / (1 - share) with a fresh mask; not in place, as the activation before needs its output."""
        if not training:
            return x
        # The factors' own memory takes the random numbers first.
        self.rng.random(out=self._factors, dtype=self._factors.dtype)
        kept = np.greater_equal(self._factors, self.share, out=self._kept)
        np.multiply(kept, self._factors.dtype.type(1 / (1 - self.share)), out=self._factors)
        return np.multiply(x, self._factors, out=self._y)

    def input_gradient(self, gradient: Floats) -> Floats:
        """dx = dy mask / (1 - share), in place."""
        gradient *= self._factors
        return gradient
