"""The IDX format of MNIST: a magic number, the sizes as big-endian 32-bit numbers, then bytes."""

import gzip
import struct
import zlib
from math import prod
from pathlib import Path

import numpy as np

from trainer.arrays import Labels, Pixels
from trainer.errors import DataError

UNSIGNED_BYTE = 0x08


def read_images(content: bytes, name: str) -> Pixels:
    """The images (n, height x width) in the content of an IDX file of that name; raises DataError."""
    array = read(content, 3, name)
    return array.reshape(len(array), prod(array.shape[1:]))


def read_labels(content: bytes, name: str) -> Labels:
    """The labels (n,) in the content of an IDX file of that name; raises DataError."""
    return read(content, 1, name).astype(np.int64)


def unpacked(content: bytes, name: str) -> bytes:
    """The content of a file, unpacked if it is gzipped; raises DataError when that fails."""
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{name} is a damaged gzip file ({error}): get it again") from error


def written(array: Pixels) -> bytes:
    """The IDX content of an array of bytes, as read_images and read_labels take it."""
    return struct.pack(f">HBB{array.ndim}I", 0, UNSIGNED_BYTE, array.ndim, *array.shape) + array.tobytes()


def find(directory: Path, stem: str) -> Path:
    """The file stem or stem.gz in a directory; raises DataError when there is neither."""
    for path in (directory / stem, directory / f"{stem}.gz"):
        if path.is_file():
            return path
    raise DataError(f"{directory} has neither {stem} nor {stem}.gz: put the IDX files of MNIST there")


def read(content: bytes, dimensions: int, name: str) -> Pixels:
    """The array in the content of an IDX file of that name, with so many dimensions; raises DataError."""
    header = 4 + 4 * dimensions
    if len(content) < header or content[:4] != bytes([0, 0, UNSIGNED_BYTE, dimensions]):
        raise DataError(f"{name} is not an IDX file of bytes in {dimensions} dimensions: get it again")
    sizes = struct.unpack(f">{dimensions}I", content[4:header])
    if len(content) != header + prod(sizes):
        raise DataError(
            f"{name} should hold {prod(sizes):,} bytes, by its header, and holds {len(content) - header:,}: "
            "get it again"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(sizes)
