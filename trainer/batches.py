"""Mini-batches, drawn with or without replacement."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from trainer.arrays import Floats, Labels
from trainer.data.rows import Rows


class Batches:
    """Draws mini-batches of n rows, an epoch of them at a time.

    With replacement, every row of a batch is any of the n, with equal chances, and an epoch has
    max(1, n // size) batches. Without, an epoch is a permutation of the rows, and the last batch has what is left.
    """

    def __init__(self, rows: Rows, size: int, rng: np.random.Generator, *, replacement: bool = True) -> None:
        self._rows, self._size, self._rng, self._replacement = rows, size, rng, replacement
        self._x, self._t = np.empty((size, rows.features), rows.dtype), np.empty(size, np.int64)

    @property
    def steps(self) -> int:
        """How many batches an epoch has."""
        n = len(self._rows.t)
        return max(1, n // self._size) if self._replacement else -(-n // self._size)

    def epoch(self) -> Iterator[tuple[Floats, Labels]]:
        """Hand out x (m, features), t (m,), m up to size, each valid until the next."""
        for numbers in self._numbers():
            x, t = self._x[: len(numbers)], self._t[: len(numbers)]
            self._rows.take(numbers, x, t)
            yield x, t

    def _numbers(self) -> Iterator[npt.NDArray[np.int64]]:
        n = len(self._rows.t)
        if self._replacement:
            yield from self._rng.integers(n, size=(self.steps, self._size))
        else:
            shuffled = self._rng.permutation(n)
            yield from (shuffled[start : start + self._size] for start in range(0, n, self._size))
