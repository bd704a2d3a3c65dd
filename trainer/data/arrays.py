"""What arrays of a user's own must be to be trained on; each fault is a sentence with the way out."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from trainer.arrays import Labels
from trainer.data.rows import rows_at_once
from trainer.errors import DataError

# The last layer has a column for each class: a single wild label must not ask for gigabytes.
MOST_CLASSES: Final = 10_000


def check_pixels(array: npt.NDArray[Any], name: str) -> None:
    """Raise DataError unless an array is (images, features, ...) of numbers that are finite in float32."""
    if array.ndim < 2 or not array.size:
        raise DataError(f"{name} has the shape {array.shape}: it must be (images, features), neither of them 0")
    if array.dtype.kind not in "fiub":
        raise DataError(f"{name} is of type {array.dtype}: it must be of numbers")
    size = rows_at_once(array[0].size)
    for start in range(0, len(array), size):
        with np.errstate(all="ignore"):
            part = array[start : start + size].astype(np.float32)
        if not np.isfinite(part).all():
            raise DataError(f"{name} has numbers that are not finite in float32: remove or replace them")


def labels(array: npt.NDArray[Any], name: str) -> Labels:
    """Labels (n,) from 0, two classes or more; raises DataError."""
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise DataError(
            f"{name} has the shape {array.shape} and the type {array.dtype}: it must be (images,) of integers"
        )
    check_labels(array, name)
    return array.astype(np.int64)


def check_labels(array: npt.NDArray[Any], name: str) -> None:
    """Raise DataError unless integers are labels of two classes or more."""
    if not array.size or array.min() < 0:
        raise DataError(f"{name} has a negative label, or none at all: labels are the classes' numbers, from 0")
    if array.min() == array.max():
        raise DataError(f"{name} has a single class, {array.min()}: there must be two or more")
    if array.max() >= MOST_CLASSES:
        raise DataError(f"{name} has the label {array.max()}: number the classes from 0, at most {MOST_CLASSES:,}")


def check_as_many(pixels: npt.NDArray[Any], labels: Labels, x: str, t: str) -> None:
    """Raise DataError unless there is a label for each image."""
    if len(pixels) != len(labels):
        raise DataError(f"{x} has {len(pixels):,} rows and {t} has {len(labels):,}: they must be as many")
