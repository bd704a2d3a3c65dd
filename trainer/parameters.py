"""All parameters of a net in one vector, and their gradients in another, with a view of each for each layer."""

from collections.abc import Sequence
from math import prod

import numpy as np
import numpy.typing as npt

from trainer.arrays import Floats
from trainer.layers import Layer, Shape


class Parameters:
    """The vectors values and gradients (n,), those that decay first; a layer's views share their memory."""

    def __init__(self, layers: Sequence[Layer], dtype: npt.DTypeLike) -> None:
        shapes = [shape for layer in layers for shape in layer.shapes]
        self.decaying = sum(prod(shape.sizes) for shape in shapes if shape.decays)
        self.values = np.zeros(sum(prod(shape.sizes) for shape in shapes), dtype)
        self.gradients = np.zeros_like(self.values)
        places = iter(_places(shapes))
        for layer in layers:
            own = [(next(places), shape.sizes) for shape in layer.shapes]
            layer.bind(_views(self.values, own), _views(self.gradients, own))

    @property
    def weights(self) -> Floats:
        """The values that weight decay applies to."""
        return self.values[: self.decaying]

    @property
    def weight_gradients(self) -> Floats:
        """The gradients of the weights."""
        return self.gradients[: self.decaying]


def _places(shapes: Sequence[Shape]) -> Sequence[slice]:
    places: dict[int, slice] = {}
    start = 0
    for index in sorted(range(len(shapes)), key=lambda index: not shapes[index].decays):
        stop = start + prod(shapes[index].sizes)
        places[index] = slice(start, stop)
        start = stop
    return [places[index] for index in range(len(shapes))]


def _views(vector: Floats, own: Sequence[tuple[slice, tuple[int, ...]]]) -> list[Floats]:
    return [vector[place].reshape(sizes) for place, sizes in own]
