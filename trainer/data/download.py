"""Download the full MNIST, with its checksums checked."""

from collections.abc import Mapping
from hashlib import md5
from http.client import HTTPException
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.request import urlopen

from trainer.data.idx import unpacked
from trainer.errors import DataError

MIRRORS: Final = (
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    "https://storage.googleapis.com/cvdf-datasets/mnist",
)
# Of the unpacked files, as published.
MD5: Final[Mapping[str, str]] = MappingProxyType(
    {
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    }
)
TIMEOUT_SECONDS: Final = 60


def download(directory: Path, mirrors: tuple[str, ...] = MIRRORS, md5s: Mapping[str, str] = MD5) -> None:
    """Fetch the four gzipped IDX files into a directory, from the first mirror that has them.

    Writes nothing unless all four match their checksums. Raises DataError.
    """
    contents = {f"{stem}.gz": _checked(stem, digest, mirrors) for stem, digest in md5s.items()}
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            part = directory / f"{name}.part"
            part.write_bytes(content)
            part.replace(directory / name)
    except OSError as error:
        raise DataError(f"{directory} cannot be written to ({error}): name another folder") from error


def _checked(stem: str, digest: str, mirrors: tuple[str, ...]) -> bytes:
    content = _fetched(f"{stem}.gz", mirrors)
    found = md5(unpacked(content, stem), usedforsecurity=False).hexdigest()
    if found != digest:
        raise DataError(f"{stem} has the checksum {found} and should have {digest}: nothing was kept, try again")
    return content


def _fetched(name: str, mirrors: tuple[str, ...]) -> bytes:
    reasons = []
    for mirror in mirrors:
        try:
            with urlopen(f"{mirror.rstrip('/')}/{name}", timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
                content: bytes = answer.read()
                return content
        except (OSError, HTTPException, ValueError) as error:
            reasons.append(f"{mirror}: {error}")
    raise DataError(f"{name} could not be fetched ({'; '.join(reasons)}): try again, or name a mirror")
