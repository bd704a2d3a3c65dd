"""The multi-layer net: affine layers with an activation between them, softmax with cross-entropy at the end."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from trainer.activations import ACTIVATIONS, ActivationName
from trainer.arrays import Floats, Labels
from trainer.initializers import Initializer
from trainer.layers import Affine, Layer
from trainer.losses import SoftmaxCrossEntropy
from trainer.parameters import Parameters
from trainer.penalties import L2


class MultiLayerNet:
    """A net of widths[0] inputs, any number of hidden layers, and widths[-1] classes, for up to rows at a time.

    parameters holds all weights and biases in one vector, and their gradients in another. Biases begin at 0.
    """

    def __init__(
        self,
        widths: Sequence[int],
        rows: int,
        *,
        activation: ActivationName,
        initializer: Initializer,
        rng: np.random.Generator,
        weight_decay: float = 0.0,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        self.rows = rows
        self._rows_now = 0
        self.layers = _layers(widths, rows, activation, dtype)
        self.parameters = Parameters(self.layers, dtype)
        self._penalty = L2(weight_decay, self.parameters.weights)
        self._last = SoftmaxCrossEntropy(rows, widths[-1], dtype)
        for layer in self.layers:
            if isinstance(layer, Affine):
                initializer(layer.weights, rng)

    def logits(self, x: Floats, *, training: bool = False) -> Floats:
        """What softmax makes probabilities of: (n, classes) for x (n, features), valid until the next call."""
        if len(x) != self._rows_now:
            self._resize(len(x))
        for layer in self.layers:
            x = layer.forward(x, training=training)
        return x

    def _resize(self, rows: int) -> None:
        for layer in self.layers:
            layer.resize(rows)
        self._last.resize(rows)
        self._rows_now = rows

    def gradients(self, x: Floats, t: Labels) -> float:
        """Backpropagation: write the gradients of the loss of a batch x (n, features), t (n,); return the loss."""
        loss = self._last.loss(self.logits(x, training=True), t) + self._penalty.loss()
        gradient = self._last.gradient(t)
        for layer in reversed(self.layers[1:]):
            layer.parameter_gradients(gradient)
            gradient = layer.input_gradient(gradient)
        self.layers[0].parameter_gradients(gradient)
        self._penalty.add_gradient(self.parameters.weight_gradients)
        return loss

    def evaluate(self, x: Floats, t: Labels) -> tuple[float, float]:
        """The loss and the accuracy on any number of rows x (n, features), t (n,).

        The loss is the mean cross-entropy + 1/2 lambda sum W^2, the accuracy the share of the rows whose
        largest logit is at the label.
        """
        loss, right = 0.0, 0
        for start in range(0, len(x), self.rows):
            labels = t[start : start + self.rows]
            logits = self.logits(x[start : start + self.rows])
            right += int(np.count_nonzero(logits.argmax(axis=1) == labels))
            loss += self._last.loss(logits, labels) * len(labels)
        return loss / len(x) + self._penalty.loss(), right / len(x)


def _layers(widths: Sequence[int], rows: int, activation: ActivationName, dtype: npt.DTypeLike) -> tuple[Layer, ...]:
    layers: list[Layer] = []
    for inputs, outputs in pairwise(widths):
        layers += [Affine(inputs, outputs, rows, dtype), ACTIVATIONS[activation](outputs, rows, dtype)]
    return tuple(layers[:-1])
