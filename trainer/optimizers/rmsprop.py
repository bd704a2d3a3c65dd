"""Gradient descent with a step for each parameter that follows the size of its latest gradients."""

from types import MappingProxyType

import numpy as np

from trainer.arrays import Floats
from trainer.optimizers.base import Optimizer, Setting


class RMSprop(Optimizer):
    """h = rho h + (1 - rho) g^2, W -= lr g / (sqrt h + epsilon), with rho in [0, 1) (Hinton 2012, lecture 6e)."""

    name = "rmsprop"
    settings = MappingProxyType(
        {
            "rho": Setting(0.99, "how much of its mean square a step keeps"),
            "epsilon": Setting(1e-7, "what is added to the root that it divides by", low=1e-12),
        }
    )

    def __init__(self, parameters: Floats, rho: float = 0.99, epsilon: float = 1e-7) -> None:
        self.rho, self.epsilon = rho, epsilon
        self.squares = np.zeros_like(parameters)
        self._scratch = np.empty_like(parameters)

    def update(self, parameters: Floats, gradients: Floats, lr: float) -> None:
        """Let the mean square follow the gradients, which are used up, and move the parameters against them."""
        square = np.multiply(gradients, gradients, out=self._scratch)
        square *= 1 - self.rho
        self.squares *= self.rho
        self.squares += square
        root = np.sqrt(self.squares, out=self._scratch)
        root += self.epsilon
        gradients /= root
        gradients *= lr
        parameters -= gradients
