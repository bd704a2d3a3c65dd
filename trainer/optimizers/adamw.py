"""Adam with weight decay beside the gradient."""

from trainer.arrays import Floats
from trainer.optimizers.adam import Adam


class AdamW(Adam):
    """W -= lr lambda W for the weights, then the step of Adam (Loshchilov & Hutter 2019).

    The decay is no part of the gradient, so that Adam does not divide it by the size of the gradients.
    The first `decaying` of the parameters are the weights.
    """

    name = "adamw"
    decays = True

    def __init__(
        self,
        parameters: Floats,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
        decaying: int | None = None,
    ) -> None:
        super().__init__(parameters, beta1, beta2, epsilon)
        self.weight_decay = weight_decay
        self.decaying = len(parameters) if decaying is None else decaying

    def update(self, parameters: Floats, gradients: Floats, lr: float) -> None:
        """Let the weights decay, and take the step of Adam, which uses the gradients up."""
        parameters[: self.decaying] *= 1 - lr * self.weight_decay
        super().update(parameters, gradients, lr)
