"""The images in an .npz file of NumPy, with arrays x and t."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trainer.arrays import Floats
from trainer.data import arrays
from trainer.data.images import Images
from trainer.errors import DataError


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
    first, second = _arrays(path, (x, t))
    pixels, labels = _pixels(first, f"{path}: {x}"), arrays.labels(second, f"{path}: {t}")
    arrays.check_as_many(pixels, labels, f"{path}: {x}", t)
    return Images(pixels, labels, 1, "take fewer, or put more into the file")


def require(path: Path, names: tuple[str, ...]) -> None:
    """Raise DataError unless a file has arrays of those names; none is read."""
    with _opened(path, names):
        pass


def _arrays(path: Path, names: tuple[str, ...]) -> list[npt.NDArray[Any]]:
    with _opened(path, names) as file:
        return [np.asarray(file[name]) for name in names]


@contextmanager
def _opened(path: Path, names: tuple[str, ...]) -> Iterator[Mapping[str, npt.NDArray[Any]]]:
    try:
        # Opened here, as numpy.load leaves a damaged file open.
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            missing = [name for name in names if name not in file]
            if missing:
                wanted = ", ".join(f"{name}=..." for name in names)
                raise DataError(f"{path} has no array {missing[0]}: save it with numpy.savez(path, {wanted})")
            yield file
    except DataError:
        raise
    except Exception as error:
        # What a damaged archive, or a file that only looks like one, makes numpy and zipfile raise is no short list.
        raise DataError(
            f"{path} is no .npz file of plain arrays ({error}): save it with numpy.savez, without objects"
        ) from error


def _pixels(array: npt.NDArray[Any], name: str) -> Floats:
    arrays.check_pixels(array, name)
    pixels: Floats = array.reshape(len(array), -1).astype(np.float32)
    return pixels
