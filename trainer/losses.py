"""How far predictions are from their targets: as formulas, and as the last layer of a net."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from trainer.arrays import Floats, Labels

LossName: TypeAlias = Literal["cross_entropy", "mean_squared_error"]


def softmax(logits: Floats) -> Floats:
    """exp(x) / sum exp(x) over the last axis, shifted by its maximum so that no exponent overflows."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def cross_entropy(y: Floats, t: npt.NDArray[Any]) -> float:
    """-sum t log y, the mean over the batch; y (n, classes) or (classes,), t labels or one-hot like y."""
    y = np.atleast_2d(y)
    labels = t.reshape(y.shape).argmax(axis=1) if t.size == y.size else t.reshape(-1)
    chosen = y[np.arange(len(y)), labels]
    return float(-np.log(np.maximum(chosen, np.finfo(y.dtype).tiny)).mean())


def mean_squared_error(y: Floats, t: npt.NDArray[Any]) -> float:
    """1/2 sum (y - t)^2, the mean over the batch; y and one-hot t (n, classes) or (classes,)."""
    return float(0.5 * np.sum((y - t) ** 2) / len(np.atleast_2d(y)))


class LastLayer(Protocol):
    """The end of a net, for batches of up to a number of rows: its loss, and where backpropagation begins."""

    def resize(self, rows: int) -> None:
        """Get ready for batches of that many rows."""
        ...

    def loss(self, logits: Floats, labels: Labels) -> float:
        """The mean over the batch; logits (n, classes), labels (n,)."""
        ...

    def gradient(self, labels: Labels) -> Floats:
        """That of the logits that loss saw last: (n, classes), valid until the next loss."""
        ...


class SoftmaxCrossEntropy:
    """Softmax and cross-entropy in one, for batches of up to a number of rows, in buffers of its own.

    Inside, a column is an image: maxima and sums down the columns run twice as fast as along short rows.
    """

    def __init__(self, rows: int, classes: int, dtype: npt.DTypeLike) -> None:
        self._room = [np.empty((classes, rows), dtype), np.empty((classes, rows), dtype), np.empty(rows, dtype)]
        self._column_numbers = np.arange(rows)

    def resize(self, rows: int) -> None:
        """Get ready for batches of that many rows."""
        self._shifted, self._powers, self._sums = (buffer[..., :rows] for buffer in self._room)
        self._columns = self._column_numbers[:rows]

    def loss(self, logits: Floats, labels: Labels) -> float:
        """log sum exp(x) - x[label], the mean over the batch; logits (n, classes), labels (n,)."""
        shifted, powers, sums = self._shifted, self._powers, self._sums
        np.copyto(shifted, logits.T)
        shifted -= np.maximum.reduce(shifted, axis=0, out=sums)
        np.exp(shifted, out=powers)
        np.add.reduce(powers, axis=0, out=sums)
        chosen = shifted[labels, self._columns]
        return float(np.add.reduce(np.log(sums)) - np.add.reduce(chosen)) / len(labels)

    def gradient(self, labels: Labels) -> Floats:
        """(softmax(x) - one-hot) / n of the logits that loss saw last: (n, classes), valid until the next loss."""
        gradient, sums, n = self._powers, self._sums, len(labels)
        sums *= n
        gradient /= sums
        gradient[labels, self._columns] -= 1 / n
        return gradient.T


class MeanSquaredError:
    """The logits themselves against one-hot labels, for batches of up to a number of rows, in a buffer of its own."""

    def __init__(self, rows: int, classes: int, dtype: npt.DTypeLike) -> None:
        self._room = np.empty((rows, classes), dtype)
        self._row_numbers = np.arange(rows)

    def resize(self, rows: int) -> None:
        """Get ready for batches of that many rows."""
        self._difference, self._rows = self._room[:rows], self._row_numbers[:rows]

    def loss(self, logits: Floats, labels: Labels) -> float:
        """1/2 sum (x - one-hot)^2, the mean over the batch; logits (n, classes), labels (n,)."""
        np.copyto(self._difference, logits)
        self._difference[self._rows, labels] -= 1
        return float(0.5 * np.vdot(self._difference, self._difference)) / len(labels)

    def gradient(self, labels: Labels) -> Floats:
        """(x - one-hot) / n of the logits that loss saw last: (n, classes), valid until the next loss."""
        self._difference /= len(labels)
        return self._difference


LOSSES: Final[Mapping[LossName, type[SoftmaxCrossEntropy] | type[MeanSquaredError]]] = MappingProxyType(
    {"cross_entropy": SoftmaxCrossEntropy, "mean_squared_error": MeanSquaredError}
)
