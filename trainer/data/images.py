"""Images with their labels, as they are stored, in memory or on disk."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from trainer.arrays import Floats, Labels, Pixels
from trainer.data.rows import LoadedRows, MappedRows, Rows


@dataclass(frozen=True)
class Images:
    """A data set in memory: pixels (n, features), of which white is 1 to a net, and labels (n,), from 0.

    more says how to get more of them; common how many, the first ones, every worker has.
    """

    pixels: Pixels | Floats
    labels: Labels
    white: int
    more: str
    common: int | None = None

    def __post_init__(self) -> None:
        self.pixels.flags.writeable = False
        self.labels.flags.writeable = False

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def classes(self) -> int:
        """The largest label + 1."""
        return int(self.labels.max()) + 1

    def take(self, numbers: npt.NDArray[np.int64], dtype: npt.DTypeLike = np.float32) -> Rows:
        """The images of those numbers, divided by white."""
        x = self.pixels[numbers].astype(dtype)
        if self.white != 1:
            x /= self.white
        return LoadedRows(x, self.labels[numbers])


class MappedImages(Images):
    """A data set whose pixels stay on disk; a net gets them in float32."""

    def take(self, numbers: npt.NDArray[np.int64], dtype: npt.DTypeLike = np.float32) -> Rows:  # noqa: ARG002
        """The images of those numbers, read when they are needed."""
        return MappedRows(self.pixels, numbers, self.labels[numbers], self.white)
