"""Gradient descent with momentum."""

from types import MappingProxyType

import numpy as np

from trainer.arrays import Floats
from trainer.optimizers.base import Optimizer, Setting


class Momentum(Optimizer):
    """v = a v - lr g, W += v, with the momentum a in [0, 1) (Polyak 1964).

    The learning rate is in v, so that under a schedule a step keeps what earlier rates gave it; PyTorch multiplies
    by the rate of the day instead.
    """

    name = "momentum"
    settings = MappingProxyType({"momentum": Setting(0.9, "how much of its velocity a step keeps")})

    def __init__(self, parameters: Floats, momentum: float = 0.9) -> None:
        self.momentum = momentum
        self.velocity = np.zeros_like(parameters)

    def update(self, parameters: Floats, gradients: Floats, lr: float) -> None:
        """Turn the velocity by the gradients, which are used up, and move the parameters with it."""
        self.velocity *= self.momentum
        gradients *= lr
        self.velocity -= gradients
        parameters += self.velocity
