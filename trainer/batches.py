"""Mini-batches, drawn with replacement."""

from collections.abc import Iterator

import numpy as np

from trainer.arrays import Floats, Labels


class Batches:
    """Draws mini-batches of the rows of x (n, features), t (n,); an epoch has max(1, n // batch_size) of them."""

    def __init__(self, x: Floats, t: Labels, batch_size: int, rng: np.random.Generator) -> None:
        self._source = x, t
        self._size = max(1, len(t) // batch_size), batch_size
        self._batch = np.empty((batch_size, x.shape[1]), x.dtype), np.empty(batch_size, t.dtype)
        self._rng = rng

    def epoch(self) -> Iterator[tuple[Floats, Labels]]:
        """Hand out x (batch_size, features), t (batch_size,), each valid until the next.

        Every row of a batch is any of the n rows of the data, with equal chances.
        """
        (x, t), (images, labels) = self._source, self._batch
        for rows in self._rng.integers(len(t), size=self._size):
            # mode="clip" fills out directly; by default it goes through a copy, in case an index is out of range.
            np.take(x, rows, axis=0, out=images, mode="clip")
            np.take(t, rows, out=labels, mode="clip")
            yield images, labels
