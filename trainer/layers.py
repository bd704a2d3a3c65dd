"""What a layer is, and the affine one: a forward pass, and backpropagation through it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from trainer.arrays import Floats


class Shape(NamedTuple):
    """The shape of one of a layer's parameters, and whether weight decay applies to it."""

    sizes: tuple[int, ...]
    decays: bool


class Layer:
    """One layer of a net; its buffers are allocated once, for a largest number of rows, and used in every step.

    What forward and input_gradient return is valid until the layer's next call, and the layer after it
    (before it, on the way back) may change it in place.
    """

    shapes: tuple[Shape, ...] = ()

    def bind(self, values: Sequence[Floats], gradients: Sequence[Floats]) -> None:
        """Take the places of the layer's parameters and of their gradients, one array a shape."""

    def resize(self, rows: int) -> None:
        """Get ready for batches of that many rows."""

    def forward(self, x: Floats, *, training: bool) -> Floats:
        """The output (n, outputs) for the input (n, inputs)."""
        raise NotImplementedError

    def parameter_gradients(self, gradient: Floats) -> None:
        """Write the gradients of the parameters, from that of the output (n, outputs) of the last forward."""

    def input_gradient(self, gradient: Floats) -> Floats:
        """The gradient of the input (n, inputs), from that of the output (n, outputs)."""
        raise NotImplementedError


class Affine(Layer):
    """y = x W + b; x (n, inputs), W (inputs, outputs), b (outputs,)."""

    def __init__(self, inputs: int, outputs: int, rows: int, dtype: npt.DTypeLike) -> None:
        self.shapes = (Shape((inputs, outputs), decays=True), Shape((outputs,), decays=False))
        self._room = [np.empty((rows, outputs), dtype), np.empty((rows, inputs), dtype), np.ones(rows, dtype)]
        self._transposed = np.empty((outputs, inputs), dtype)

    def bind(self, values: Sequence[Floats], gradients: Sequence[Floats]) -> None:
        """Take the places of W and b and of their gradients."""
        self.weights, self.biases = values
        self._dw, self._db = gradients

    def resize(self, rows: int) -> None:
        """Get ready for batches of that many rows."""
        self._y, self._dx, self._ones = (buffer[:rows] for buffer in self._room)

    def forward(self, x: Floats, *, training: bool) -> Floats:  # noqa: ARG002
        """X W + b."""
        self._x = x
        y = np.matmul(x, self.weights, out=self._y)
        y += self.biases
        return y

    def parameter_gradients(self, gradient: Floats) -> None:
        """dW = x^T dy, db = the sum of dy over the batch (as a product with ones, which is faster)."""
        np.matmul(self._x.T, gradient, out=self._dw)
        np.matmul(self._ones, gradient, out=self._db)

    def input_gradient(self, gradient: Floats) -> Floats:
        """dx = dy W^T."""
        # BLAS is slower at reading a transposed factor than at a copy of it and the product together.
        np.copyto(self._transposed, self.weights.T)
        return np.matmul(gradient, self._transposed, out=self._dx)
