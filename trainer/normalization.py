"""Batch normalisation: a layer that keeps each feature's spread the same from batch to batch."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from trainer.arrays import Floats
from trainer.layers import Layer, Shape

EPSILON = 1e-5
"""Keeps a feature that is the same in the whole batch from being divided by 0."""
KEPT = 0.9
"""How much of the running mean and variance one more batch leaves."""


class BatchNorm(Layer):
    """y = gamma (x - mean) / sqrt(var + epsilon) + beta, mean and var over the batch (Ioffe & Szegedy 2015).

    x (n, width), gamma and beta (width,), which begin at 1 and 0. What is not training is normalised by
    running_mean and running_variance (width,): .9 of what they were and .1 of the batch's, after each step. The
    variance is the mean of the squares, divided by n, there as in training (PyTorch's running one by n - 1).
    """

    def __init__(self, width: int, rows: int, dtype: npt.DTypeLike) -> None:
        self.shapes = (Shape((width,), decays=False), Shape((width,), decays=False))
        self.running_mean, self.running_variance = np.zeros(width, dtype), np.ones(width, dtype)
        self._mean, self._deviation, self._row = (np.empty(width, dtype) for _ in range(3))
        self._room = [np.empty((rows, width), dtype), np.empty((rows, width), dtype), np.ones(rows, dtype)]

    def bind(self, values: Sequence[Floats], gradients: Sequence[Floats]) -> None:
        """Take the places of gamma and beta and of their gradients."""
        self.gamma, self.beta = values
        self._dgamma, self._dbeta = gradients
        self.gamma[...] = 1

    def resize(self, rows: int) -> None:
        """Get ready for batches of that many rows."""
        self._normal, self._scratch, self._ones = (buffer[:rows] for buffer in self._room)

    def forward(self, x: Floats, *, training: bool) -> Floats:
        """gamma (x - mean) / deviation + beta, in place."""
        if not training:
            return self._by_what_it_ran_through(x)
        mean, deviation = self._mean, self._deviation
        np.matmul(self._ones, x, out=mean)
        mean /= len(x)
        normal = np.subtract(x, mean, out=self._normal)
        np.multiply(normal, normal, out=x)
        np.matmul(self._ones, x, out=deviation)
        deviation /= len(x)
        self._follow(self.running_mean, mean)
        self._follow(self.running_variance, deviation)
        deviation += EPSILON
        np.sqrt(deviation, out=deviation)
        normal /= deviation
        np.multiply(normal, self.gamma, out=x)
        x += self.beta
        return x

    def parameter_gradients(self, gradient: Floats) -> None:
        """d gamma = the sum of dy x' over the batch, x' the normalised x; d beta = the sum of dy."""
        np.multiply(gradient, self._normal, out=self._scratch)
        np.matmul(self._ones, self._scratch, out=self._dgamma)
        np.matmul(self._ones, gradient, out=self._dbeta)

    def input_gradient(self, gradient: Floats) -> Floats:
        """dx = gamma / deviation (dy - d beta / n - x' d gamma / n), in place, after parameter_gradients."""
        row, n = self._row, len(gradient)
        gradient -= np.divide(self._dbeta, n, out=row)
        self._normal *= np.divide(self._dgamma, n, out=row)
        gradient -= self._normal
        gradient *= np.divide(self.gamma, self._deviation, out=row)
        return gradient

    def _by_what_it_ran_through(self, x: Floats) -> Floats:
        scale = np.add(self.running_variance, EPSILON, out=self._row)
        np.sqrt(scale, out=scale)
        np.divide(self.gamma, scale, out=scale)
        x -= self.running_mean
        x *= scale
        x += self.beta
        return x

    def _follow(self, running: Floats, batch: Floats) -> None:
        running *= KEPT
        running += np.multiply(batch, 1 - KEPT, out=self._row)
