"""The images in a folder with x.npy and t.npy, of which x may be larger than memory: it is mapped, not read."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trainer.data import arrays
from trainer.data.images import MappedImages
from trainer.errors import DataError


def images(folder: Path, x: str, t: str) -> MappedImages:
    """The images x (n, features) of numbers and their labels t (n,), from 0, in files of those names.

    Checked once a process, and again when a file has changed. Raises DataError.
    """
    return _images(folder / f"{x}.npy", folder / f"{t}.npy", require(folder, (x, t)))


def require(folder: Path, names: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """When files of those names were changed and how large they are; raises DataError where one is missing."""
    return tuple(_stamp(folder / f"{name}.npy") for name in names)


@lru_cache(maxsize=4)
def _images(x: Path, t: Path, _stamps: tuple[tuple[int, int], ...]) -> MappedImages:
    pixels, labels = _opened(x), arrays.labels(_opened(t), str(t))
    arrays.check_pixels(pixels, str(x))
    if pixels.ndim != 2:
        raise DataError(f"{x} has the shape {pixels.shape}: it must be (images, features)")
    arrays.check_as_many(pixels, labels, str(x), str(t))
    return MappedImages(pixels, labels, 1, "take fewer, or put more into the folder")


def _stamp(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): save it with numpy.save") from error
    return stat.st_mtime_ns, stat.st_size


def _opened(path: Path) -> npt.NDArray[Any]:
    try:
        opened = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:
        # What a damaged header makes numpy raise is no short list.
        raise DataError(f"{path} is no plain array ({error}): save it with numpy.save, without objects") from error
    if not isinstance(opened, np.ndarray):
        opened.close()
        raise DataError(f"{path} is an archive and no plain array: save it with numpy.save, or name it as npz:PATH")
    return opened
