"""Momentum and a step for each parameter together."""

from math import sqrt
from types import MappingProxyType

import numpy as np

from trainer.arrays import Floats
from trainer.optimizers.base import Optimizer, Setting


class Adam(Optimizer):
    """m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, W -= lr m' / (sqrt v' + epsilon) (Kingma & Ba 2015).

    m' = m / (1 - b1^t) and v' = v / (1 - b2^t) take out, at step t from 1, that both began at 0.
    """

    name = "adam"
    settings = MappingProxyType(
        {
            "beta1": Setting(0.9, "how much of its mean a step keeps"),
            "beta2": Setting(0.999, "how much of its mean square a step keeps"),
            "epsilon": Setting(1e-8, "what is added to the root that it divides by", low=1e-12),
        }
    )

    def __init__(self, parameters: Floats, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> None:
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.steps = 0
        # Both without their factor 1 - b, which goes into the two numbers of the step instead: two passes less.
        self.means = np.zeros_like(parameters)
        self.squares = np.zeros_like(parameters)

    def update(self, parameters: Floats, gradients: Floats, lr: float) -> None:
        """Let both means follow the gradients, which are used up, and move the parameters."""
        self.steps += 1
        self.means *= self.beta1
        self.means += gradients
        np.multiply(gradients, gradients, out=gradients)
        self.squares *= self.beta2
        self.squares += gradients
        first = (1 - self.beta1) / (1 - self.beta1**self.steps)
        second = sqrt((1 - self.beta2) / (1 - self.beta2**self.steps))
        root = np.sqrt(self.squares, out=gradients)
        root += self.epsilon / second
        np.divide(self.means, root, out=gradients)
        gradients *= lr * first / second
        parameters -= gradients
