"""The images in an .npz file of NumPy, with arrays x and t."""

from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from trainer.arrays import Floats, Labels
from trainer.data.images import Images
from trainer.errors import DataError

# The last layer has a column for each class: a single wild label must not ask for gigabytes.
MOST_CLASSES: Final = 10_000


def images(path: Path, x: str, t: str) -> Images:
    """The images in the arrays of those names, x (n, ...) of numbers and t (n,) of labels from 0.

    Read once a process, and again when the file has changed. Raises DataError.
    """
    try:
        stat = path.stat()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): name an .npz file that can") from error
    return _images(path, x, t, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4)
def _images(path: Path, x: str, t: str, _changed_at: int, _size: int) -> Images:
    arrays = _arrays(path, (x, t))
    pixels, labels = _pixels(arrays[0], f"{path}: {x}"), _labels(arrays[1], f"{path}: {t}")
    if len(pixels) != len(labels):
        raise DataError(f"{path}: {x} has {len(pixels):,} rows and {t} has {len(labels):,}: they must be as many")
    return Images(pixels, labels, 1, "take fewer, or put more into the file")


def _arrays(path: Path, names: tuple[str, ...]) -> list[npt.NDArray[Any]]:
    try:
        # Opened here, as numpy.load leaves a damaged file open.
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            missing = [name for name in names if name not in file]
            if missing:
                raise DataError(f"{path} has no array {missing[0]}: save it with numpy.savez(path, x=..., t=...)")
            return [file[name] for name in names]
    except DataError:
        raise
    except (ValueError, OSError, EOFError, BadZipFile, AttributeError, TypeError) as error:
        raise DataError(
            f"{path} is no .npz file of plain arrays ({error}): save it with numpy.savez, without objects"
        ) from error


def _pixels(array: npt.NDArray[Any], name: str) -> Floats:
    if array.ndim < 2 or not array.size:
        raise DataError(f"{name} has the shape {array.shape}: it must be (images, features), neither of them 0")
    if array.dtype.kind not in "fiub":
        raise DataError(f"{name} is of type {array.dtype}: it must be of floating-point numbers")
    with np.errstate(all="ignore"):
        pixels: Floats = array.reshape(len(array), -1).astype(np.float32)
    if not np.isfinite(pixels).all():
        raise DataError(f"{name} has numbers that are not finite in float32: remove or replace them")
    return pixels


def _labels(array: npt.NDArray[Any], name: str) -> Labels:
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise DataError(
            f"{name} has the shape {array.shape} and the type {array.dtype}: it must be (images,) of integers"
        )
    if not array.size or array.min() < 0:
        raise DataError(f"{name} has a negative label, or none at all: labels are the classes' numbers, from 0")
    if array.min() == array.max():
        raise DataError(f"{name} has a single class, {array.min()}: there must be two or more")
    if array.max() >= MOST_CLASSES:
        raise DataError(f"{name} has the label {array.max()}: number the classes from 0, at most {MOST_CLASSES:,}")
    return array.astype(np.int64)
