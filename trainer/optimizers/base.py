"""What an optimizer is: its state, and an update in place of two flat vectors."""

from typing import ClassVar

from trainer.arrays import Floats


class Optimizer:
    """Takes one step down the gradient at a time.

    name is what it is called in settings; settings are the keyword arguments of its constructor;
    decays says whether it shrinks the weights itself, instead of by a penalty in the loss.
    """

    name: ClassVar[str]
    settings: ClassVar[tuple[str, ...]] = ()
    decays: ClassVar[bool] = False

    def __init__(self, parameters: Floats) -> None:
        """Allocate the state for a vector of that shape and dtype; the vector itself is not kept."""

    def update(self, parameters: Floats, gradients: Floats, lr: float) -> None:
        """Move the parameters (n,) by one step of size lr along the gradients (n,).

        Both in place: the gradients are used up, and hold no gradients afterwards.
        """
        raise NotImplementedError
