"""Gradient descent with a step for each parameter that shrinks with the gradients it has seen."""

from types import MappingProxyType

import numpy as np

from trainer.arrays import Floats
from trainer.optimizers.base import Optimizer, Setting


class AdaGrad(Optimizer):
    """h += g^2, W -= lr g / (sqrt h + epsilon) (Duchi et al. 2011)."""

    name = "adagrad"
    settings = MappingProxyType({"epsilon": Setting(1e-7, "what is added to the root that it divides by", low=1e-12)})

    def __init__(self, parameters: Floats, epsilon: float = 1e-7) -> None:
        self.epsilon = epsilon
        self.squares = np.zeros_like(parameters)
        self._scratch = np.empty_like(parameters)

    def update(self, parameters: Floats, gradients: Floats, lr: float) -> None:
        """Add the squares up, and move the parameters against the gradients, which are used up."""
        self.squares += np.multiply(gradients, gradients, out=self._scratch)
        root = np.sqrt(self.squares, out=self._scratch)
        root += self.epsilon
        gradients /= root
        gradients *= lr
        parameters -= gradients
