"""Weight decay: penalties on large weights as part of the loss, and a bound on them as a constraint."""

from collections.abc import Iterable
from math import inf

import numpy as np

from trainer.arrays import Floats


class L2:
    """1/2 lambda sum W^2 in the loss, lambda W in the gradient (Krogh & Hertz 1991)."""

    def __init__(self, weight_decay: float, weights: Floats) -> None:
        self.weight_decay = weight_decay
        self._weights = weights
        self._scratch = np.empty_like(weights) if weight_decay else weights[:0]

    def loss(self) -> float:
        """1/2 lambda sum W^2."""
        if not self.weight_decay:
            return 0.0
        return 0.5 * self.weight_decay * float(np.dot(self._weights, self._weights))

    def add_gradient(self, gradients: Floats) -> None:
        """Add lambda W to the gradients of the weights, in place."""
        if self.weight_decay:
            gradients += np.multiply(self._weights, self.weight_decay, out=self._scratch)


class L1:
    """lambda sum |W| in the loss, lambda sign W in the gradient: it draws small weights to 0 (Tibshirani 1996)."""

    def __init__(self, strength: float, weights: Floats) -> None:
        self.strength = strength
        self._weights = weights
        self._scratch = np.empty_like(weights) if strength else weights[:0]

    def loss(self) -> float:
        """lambda sum |W|."""
        if not self.strength:
            return 0.0
        return self.strength * float(np.add.reduce(np.abs(self._weights, out=self._scratch)))

    def add_gradient(self, gradients: Floats) -> None:
        """Add lambda sign W to the gradients of the weights, in place."""
        if self.strength:
            signs = np.sign(self._weights, out=self._scratch)
            signs *= self.strength
            gradients += signs


class MaxNorm:
    """|w| <= c for the weights w into each unit: longer ones are cut to c after a step (Srebro & Shraibman 2005)."""

    def __init__(self, largest: float, weights: Iterable[Floats]) -> None:
        self.largest = largest
        self._matrices = [(matrix, np.empty_like(matrix)) for matrix in weights] if largest < inf else []

    def apply(self) -> None:
        """Cut the columns of each matrix W (inputs, units) that are too long, in place."""
        for matrix, scratch in self._matrices:
            # Scaled by their largest, so that the squares of very long ones are numbers too.
            scale = np.maximum(np.maximum.reduce(np.abs(matrix, out=scratch), axis=0), np.finfo(matrix.dtype).tiny)
            scratch /= scale
            lengths = scale * np.sqrt(np.add.reduce(np.multiply(scratch, scratch, out=scratch), axis=0))
            np.maximum(lengths, self.largest, out=lengths)
            np.divide(self.largest, lengths, out=lengths)
            matrix *= lengths
