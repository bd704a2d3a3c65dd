"""What an optimizer is: its state, and an update in place of two flat vectors."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from trainer.arrays import Floats


@dataclass(frozen=True, slots=True)
class Setting:
    """A number that an optimizer can be told, at least low and below high, and what it means."""

    default: float
    meaning: str
    low: float = 0.0
    high: float = 1.0


class Optimizer:
    """Takes one step down the gradient at a time.

    name is what it is called in settings; settings are the keyword arguments of its constructor, which become
    settings of the objective; decays says whether it shrinks the weights itself, instead of by a penalty in the
    loss: then it is also told weight_decay, and decaying, how many of the parameters are weights.
    """

    name: ClassVar[str]
    settings: ClassVar[Mapping[str, Setting]] = MappingProxyType({})
    decays: ClassVar[bool] = False

    def __init__(self, parameters: Floats) -> None:
        """Allocate the state for a vector of that shape and dtype; the vector itself is not kept."""

    def update(self, parameters: Floats, gradients: Floats, lr: float) -> None:
        """Move the parameters (n,) by one step of size lr along the gradients (n,).

        Both in place: the gradients are used up, and hold no gradients afterwards.
        """
        raise NotImplementedError
