"""The multi-layer net: affine layers with an activation between them, and a loss at the end."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

import numpy as np
import numpy.typing as npt

from trainer.activations import ACTIVATIONS, ActivationName
from trainer.arrays import Floats, Labels
from trainer.data.rows import LoadedRows
from trainer.dropout import Dropout
from trainer.initializers import Initializer
from trainer.layers import Affine, Layer
from trainer.losses import LOSSES, LossName
from trainer.normalization import BatchNorm
from trainer.parameters import Parameters
from trainer.penalties import L1, L2, MaxNorm


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """widths[0] inputs, any number of hidden layers, and widths[-1] classes; what stands between them and after."""

    widths: Sequence[int]
    activation: ActivationName = "relu"
    batch_norm: bool = False
    dropout: float = 0.0
    loss: LossName = "cross_entropy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Regularisation:
    """1/2 l2 sum W^2 + l1 sum |W| in the loss, and the largest length of the weights into a unit."""

    l2: float = 0.0
    l1: float = 0.0
    max_norm: float = inf


class MultiLayerNet:
    """A net for up to rows at a time.

    parameters holds all weights and biases in one vector, and their gradients in another. Biases begin at 0.
    """

    def __init__(
        self,
        architecture: Architecture,
        rows: int,
        *,
        initializer: Initializer,
        rng: np.random.Generator,
        regularisation: Regularisation = Regularisation(),
        dropout_rng: np.random.Generator | None = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        self.architecture, self.rows = architecture, rows
        self._rows_now = 0
        self.layers = tuple(_layers(architecture, rows, dropout_rng or rng, dtype))
        self.parameters = Parameters(self.layers, dtype)
        affine = [layer for layer in self.layers if isinstance(layer, Affine)]
        weights = self.parameters.weights
        self._penalties = L2(regularisation.l2, weights), L1(regularisation.l1, weights)
        self._max_norm = MaxNorm(regularisation.max_norm, [layer.weights for layer in affine])
        self._last = LOSSES[architecture.loss](rows, architecture.widths[-1], dtype)
        for layer in affine:
            initializer(layer.weights, rng)

    def logits(self, x: Floats, *, training: bool = False) -> Floats:
        """What the loss is taken of: (n, classes) for x (n, features), n up to rows, valid until the next call."""
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
        """Backpropagation: write the gradients of the loss of a batch; return the loss.

        x (n, features), t labels (n,) or one-hot (n, classes).
        """
        t = _labels(t)
        loss = self._last.loss(self.logits(x, training=True), t) + self._penalty()
        gradient = self._last.gradient(t)
        for layer in reversed(self.layers[1:]):
            layer.parameter_gradients(gradient)
            gradient = layer.input_gradient(gradient)
        self.layers[0].parameter_gradients(gradient)
        for penalty in self._penalties:
            penalty.add_gradient(self.parameters.weight_gradients)
        return loss

    def constrain(self) -> None:
        """Bring the weights back within their bound, after a step."""
        self._max_norm.apply()

    def evaluate(self, x: Floats, t: Labels) -> tuple[float, float]:
        """The loss and the accuracy on any number of rows x (n, features), t (n,) or one-hot (n, classes).

        The loss is the mean over the rows + the penalties, the accuracy the share of the rows whose
        largest logit is at the label.
        """
        return self.judge(LoadedRows(x, _labels(t)).parts(self.rows))

    def judge(self, parts: Iterable[tuple[Floats, Labels]]) -> tuple[float, float]:
        """The same, on rows that come in parts x (n, features), t (n,), n up to rows."""
        loss, right, seen = 0.0, 0, 0
        for x, labels in parts:
            logits = self.logits(x)
            right += int(np.count_nonzero(logits.argmax(axis=1) == labels))
            loss += self._last.loss(logits, labels) * len(labels)
            seen += len(labels)
        return loss / seen + self._penalty(), right / seen

    def _penalty(self) -> float:
        return sum(penalty.loss() for penalty in self._penalties)


def _layers(architecture: Architecture, rows: int, rng: np.random.Generator, dtype: npt.DTypeLike) -> Iterator[Layer]:
    *hidden, (inputs, classes) = pairwise(architecture.widths)
    for before, width in hidden:
        yield Affine(before, width, rows, dtype)
        if architecture.batch_norm:
            yield BatchNorm(width, rows, dtype)
        yield ACTIVATIONS[architecture.activation](width, rows, dtype)
        if architecture.dropout:
            yield Dropout(architecture.dropout, width, rows, rng, dtype)
    yield Affine(inputs, classes, rows, dtype)


def _labels(t: Labels) -> Labels:
    return t if t.ndim == 1 else t.argmax(axis=1)
