"""Weight decay: a penalty on large weights, as part of the loss."""

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
