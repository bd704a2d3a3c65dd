"""The data sets that are embedded here, as IDX files with checksums, so that everything works offline."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Final

from trainer.data import idx
from trainer.data.images import Images
from trainer.errors import DataError

DATASETS: Final = Path(__file__).parent.parent / "datasets"


@dataclass(frozen=True, slots=True)
class Embedded:
    """The grey level of white, and how to get more images than are embedded."""

    white: int
    more: str


EMBEDDED: Final[Mapping[str, Embedded]] = MappingProxyType(
    {
        "mnist": Embedded(
            255,
            "the embedded subset of MNIST is that large; for all 60,000 run `python -m trainer.data download mnist "
            "--to DIR` and set SHIBORI_DATA_DIR=DIR, or take fewer",
        ),
        "digits": Embedded(16, "digits has no more; take fewer, or mnist"),
    }
)


@lru_cache(maxsize=4)
def images(dataset: str, part: str) -> Images:
    """The images of a part, such as train, of an embedded data set; raises DataError."""
    if dataset not in EMBEDDED:
        raise DataError(f"{dataset} is no data set: it would be mnist, digits, npz:PATH or npy:FOLDER")
    known = EMBEDDED[dataset]
    pixels = idx.read_images(*_content(f"{dataset}/{part}-images-idx3-ubyte.gz"))
    labels = idx.read_labels(*_content(f"{dataset}/{part}-labels-idx1-ubyte.gz"))
    return Images(pixels, labels, known.white, known.more, common=len(labels))


def checksums() -> Mapping[str, str]:
    """The SHA-256 of each embedded file, by its name, as recorded in SHA256SUMS."""
    lines = (DATASETS / "SHA256SUMS").read_text("ascii").splitlines()
    return {name: digest for digest, name in (line.split("  ") for line in lines)}


def _content(name: str) -> tuple[bytes, str]:
    try:
        packed = (DATASETS / name).read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"{DATASETS / name} is missing: install shibori again") from error
    if sha256(packed).hexdigest() != checksums().get(name):
        raise DataError(f"{DATASETS / name} does not match its checksum: install shibori again")
    return idx.unpacked(packed, name), name
