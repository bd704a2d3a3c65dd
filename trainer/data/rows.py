"""Rows of a data set as a net takes them, from memory or from a file that is larger than that."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from trainer.arrays import Floats, Labels, Pixels

NUMBERS_AT_ONCE = 1_000_000


def rows_at_once(features: int) -> int:
    """How many rows of so many features to hold in memory when all of them are looked at."""
    return max(1, NUMBERS_AT_ONCE // max(1, features))


class Rows(Protocol):
    """Images (n, features) and their labels t (n,)."""

    @property
    def t(self) -> Labels: ...

    @property
    def features(self) -> int: ...

    @property
    def dtype(self) -> npt.DTypeLike: ...

    def take(self, rows: npt.NDArray[np.int64], x: Floats, t: Labels) -> None:
        """Copy those rows into x (m, features) and t (m,)."""
        ...

    def parts(self, size: int) -> Iterator[tuple[Floats, Labels]]:
        """Hand out all rows in order, up to size at a time, each part valid until the next."""
        ...

    def scaled(self, scaling: "Scaling") -> "Rows":
        """The same rows, scaled; these are used up."""
        ...


@dataclass(frozen=True, slots=True)
class Scaling:
    """x - mean over deviation, feature by feature; both (features,), deviation 1 where a feature never changes."""

    mean: Floats
    deviation: Floats

    @classmethod
    def of(cls, rows: Rows) -> Self:
        """What gives each feature of these rows the mean 0 and the deviation 1."""
        size = rows_at_once(rows.features)
        total = sum(x.sum(axis=0, dtype=np.float64) for x, _ in rows.parts(size))
        mean = np.asarray(total) / len(rows.t)
        squares = sum(((x - mean) ** 2).sum(axis=0) for x, _ in rows.parts(size))
        deviation = np.sqrt(np.asarray(squares) / len(rows.t))
        deviation[deviation == 0] = 1
        return cls(mean.astype(np.float32), deviation.astype(np.float32))

    def apply(self, x: Floats) -> None:
        """Scale x (n, features), in place."""
        x -= self.mean
        x /= self.deviation


@dataclass(frozen=True, slots=True)
class LoadedRows:
    """Rows in memory: x (n, features), floating, and t (n,), from 0."""

    x: Floats
    t: Labels

    @property
    def features(self) -> int:
        return int(self.x.shape[1])

    @property
    def dtype(self) -> npt.DTypeLike:
        return self.x.dtype

    def take(self, rows: npt.NDArray[np.int64], x: Floats, t: Labels) -> None:
        """Copy those rows into x (m, features) and t (m,)."""
        # mode="clip" fills out directly; by default it goes through a copy, in case an index is out of range.
        np.take(self.x, rows, axis=0, out=x, mode="clip")
        np.take(self.t, rows, out=t, mode="clip")

    def parts(self, size: int) -> Iterator[tuple[Floats, Labels]]:
        """Hand out all rows in order, up to size at a time."""
        for start in range(0, len(self.t), size):
            yield self.x[start : start + size], self.t[start : start + size]

    def scaled(self, scaling: Scaling) -> Self:
        """The same rows, scaled in place."""
        scaling.apply(self.x)
        return self


@dataclass(frozen=True, slots=True)
class MappedRows:
    """The rows of those numbers of an array on disk, read and scaled when they are needed."""

    pixels: Pixels | Floats
    numbers: npt.NDArray[np.int64]
    t: Labels
    white: int
    scaling: Scaling | None = None

    @property
    def features(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def dtype(self) -> npt.DTypeLike:
        return np.float32

    def take(self, rows: npt.NDArray[np.int64], x: Floats, t: Labels) -> None:
        """Read those rows into x (m, features) and t (m,)."""
        np.copyto(x, self.pixels[self.numbers[rows]], casting="unsafe")
        if self.white != 1:
            x /= self.white
        if self.scaling is not None:
            self.scaling.apply(x)
        np.take(self.t, rows, out=t, mode="clip")

    def parts(self, size: int) -> Iterator[tuple[Floats, Labels]]:
        """Read all rows in order, up to size at a time, each part valid until the next."""
        images, labels = np.empty((size, self.features), np.float32), np.empty(size, np.int64)
        for start in range(0, len(self.t), size):
            rows = np.arange(start, min(start + size, len(self.t)))
            x, t = images[: len(rows)], labels[: len(rows)]
            self.take(rows, x, t)
            yield x, t

    def scaled(self, scaling: Scaling) -> "MappedRows":
        """The same rows, scaled as they are read."""
        return MappedRows(self.pixels, self.numbers, self.t, self.white, scaling)
