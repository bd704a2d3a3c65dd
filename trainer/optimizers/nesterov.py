"""Gradient descent with momentum that looks ahead."""

from types import MappingProxyType

import numpy as np

from trainer.arrays import Floats
from trainer.optimizers.base import Optimizer, Setting


class Nesterov(Optimizer):
    """v = a v - lr g, W += a v - lr g, with the momentum a in [0, 1) (Nesterov 1983).

    In the form of Bengio et al. 2013, where W is the point ahead, at which the gradient is taken.
    """

    name = "nesterov"
    settings = MappingProxyType({"momentum": Setting(0.9, "how much of its velocity a step keeps")})

    def __init__(self, parameters: Floats, momentum: float = 0.9) -> None:
        self.momentum = momentum
        self.velocity = np.zeros_like(parameters)

    def update(self, parameters: Floats, gradients: Floats, lr: float) -> None:
        """Turn the velocity by the gradients, which are used up, and move the parameters ahead of it."""
        gradients *= lr
        parameters -= gradients
        self.velocity *= self.momentum
        self.velocity -= gradients
        np.multiply(self.velocity, self.momentum, out=gradients)
        parameters += gradients
