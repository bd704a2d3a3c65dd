"""The activations: layers without parameters, that work in place on the output of the layer before."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from trainer.arrays import Floats
from trainer.layers import Layer

ActivationName: TypeAlias = Literal["relu", "sigmoid", "tanh"]


class Activation(Layer):
    """A function of each number of its input, for batches of up to rows by width."""

    def __init__(self, width: int, rows: int, dtype: npt.DTypeLike) -> None:
        self._room = np.zeros((rows, width), dtype)

    def resize(self, rows: int) -> None:
        """Get ready for batches of that many rows."""
        self._scratch = self._room[:rows]


class ReLU(Activation):
    """y = max(x, 0), with the slope 1 above 0, else 0 (Nair & Hinton 2010)."""

    def __init__(self, width: int, rows: int, dtype: npt.DTypeLike) -> None:
        self._room = np.zeros((rows, width), dtype)
        self._mask_room = np.empty((rows, width), bool)

    def resize(self, rows: int) -> None:
        """Get ready for batches of that many rows."""
        self._zeros, self._mask = self._room[:rows], self._mask_room[:rows]

    def forward(self, x: Floats, *, training: bool) -> Floats:  # noqa: ARG002
        """max(x, 0), in place."""
        # The maximum with an array of zeros runs three times as fast as that with the number 0.
        self._y = np.maximum(x, self._zeros, out=x)
        return self._y

    def input_gradient(self, gradient: Floats) -> Floats:
        """dx = dy where y > 0, else 0, in place."""
        gradient *= np.greater(self._y, 0, out=self._mask)
        return gradient


class Sigmoid(Activation):
    """y = 1 / (1 + exp(-x)), with the slope y (1 - y)."""

    def forward(self, x: Floats, *, training: bool) -> Floats:  # noqa: ARG002
        """(1 + tanh(x/2)) / 2, in place: the same function, with no exponent that overflows."""
        x *= 0.5
        np.tanh(x, out=x)
        x += 1
        x *= 0.5
        self._y = x
        return x

    def input_gradient(self, gradient: Floats) -> Floats:
        """dx = dy y (1 - y), in place."""
        slope = np.subtract(1, self._y, out=self._scratch)
        slope *= self._y
        gradient *= slope
        return gradient


class Tanh(Activation):
    """y = tanh(x), with the slope 1 - y^2."""

    def forward(self, x: Floats, *, training: bool) -> Floats:  # noqa: ARG002
        """tanh(x), in place."""
        self._y = np.tanh(x, out=x)
        return self._y

    def input_gradient(self, gradient: Floats) -> Floats:
        """dx = dy (1 - y^2), in place."""
        slope = np.multiply(self._y, self._y, out=self._scratch)
        np.subtract(1, slope, out=slope)
        gradient *= slope
        return gradient


ACTIVATIONS: Final[Mapping[str, type[Activation]]] = MappingProxyType({"relu": ReLU, "sigmoid": Sigmoid, "tanh": Tanh})
