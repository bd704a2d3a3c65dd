"""Images with their labels, as they are stored and as a net takes them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from trainer.arrays import Floats, Labels, Pixels


@dataclass(frozen=True, slots=True)
class Batch:
    """Images x (n, features), floating, and their labels t (n,), from 0."""

    x: Floats
    t: Labels


@dataclass(frozen=True)
class Images:
    """A data set in memory: pixels (n, features), of which white is 1 to a net, and labels (n,), from 0.

    more says how to get more of them.
    """

    pixels: Pixels | Floats
    labels: Labels
    white: int
    more: str

    def __post_init__(self) -> None:
        self.pixels.flags.writeable = False
        self.labels.flags.writeable = False

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def classes(self) -> int:
        """The largest label + 1."""
        return int(self.labels.max()) + 1

    def take(self, rows: npt.NDArray[np.int64], dtype: npt.DTypeLike = np.float32) -> Batch:
        """The images of those rows, divided by white."""
        x = self.pixels[rows].astype(dtype)
        x /= self.white
        return Batch(x, self.labels[rows])
