"""Stochastic gradient descent."""

from trainer.arrays import Floats
from trainer.optimizers.base import Optimizer


class SGD(Optimizer):
    """W -= lr g (Robbins & Monro 1951)."""

    name = "sgd"

    def update(self, parameters: Floats, gradients: Floats, lr: float) -> None:
        """Move the parameters against the gradients, which are used up."""
        gradients *= lr
        parameters -= gradients
