"""Make the embedded data sets anew, byte for byte: `python -m trainer.datasets.make IDX_FOLDER [--to FOLDER]`.

IDX_FOLDER holds the full MNIST; the digits are the ones that scikit-learn ships (a development dependency).
"""

import argparse
import gzip
import sys
from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trainer.data import idx, subset
from trainer.data.embedded import DATASETS
from trainer.errors import DataError

DIGITS_TEST_FRACTION = 0.2


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files and SHA256SUMS; the exit code is 0, or 1 with a message on stderr."""
    parser = argparse.ArgumentParser(prog="python -m trainer.datasets.make")
    parser.add_argument("idx_folder", type=Path, help="folder with the four IDX files of the full MNIST")
    parser.add_argument("--to", type=Path, default=DATASETS, help="folder to write to (default: trainer/datasets)")
    chosen = parser.parse_args(arguments)
    try:
        _write(chosen.to, {**mnist(chosen.idx_folder), **digits()})
    except (DataError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _write(folder: Path, contents: Mapping[str, bytes]) -> None:
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    sums = "".join(f"{sha256(content).hexdigest()}  {name}\n" for name, content in sorted(contents.items()))
    (folder / "SHA256SUMS").write_text(sums, "ascii")


def mnist(folder: Path) -> dict[str, bytes]:
    """The embedded files of MNIST, by name: images drawn at random from each part of the full set."""
    made: dict[str, bytes] = {}
    for part, size in subset.SIZES.items():
        pixels, labels = (_full(folder, f"{part}-{kind}") for kind in ("images-idx3-ubyte", "labels-idx1-ubyte"))
        rows = subset.embedded_first(len(labels))[:size]
        made |= _files("mnist", part, pixels[rows], labels[rows])
    return made


def digits() -> dict[str, bytes]:
    """The embedded files of the 1,797 digits, by name, shuffled, a fixed fifth of them for the test set."""
    with files("sklearn").joinpath("datasets/data/digits.csv.gz").open("rb") as file:
        rows = np.loadtxt(BytesIO(gzip.decompress(file.read())), dtype=np.uint8, delimiter=",")
    rows = np.random.default_rng(subset.SEED).permutation(rows)
    pixels, labels = rows[:, :-1].reshape(-1, 8, 8), rows[:, -1]
    test = round(len(rows) * DIGITS_TEST_FRACTION)
    return _files("digits", "t10k", pixels[:test], labels[:test]) | _files(
        "digits", "train", pixels[test:], labels[test:]
    )


def _full(folder: Path, stem: str) -> npt.NDArray[np.uint8]:
    path = idx.find(folder, stem)
    return idx.read(idx.unpacked(path.read_bytes(), str(path)), 3 if "images" in stem else 1, str(path))


def _files(dataset: str, part: str, pixels: npt.NDArray[Any], labels: npt.NDArray[Any]) -> dict[str, bytes]:
    return {
        f"{dataset}/{part}-images-idx3-ubyte.gz": _packed(pixels),
        f"{dataset}/{part}-labels-idx1-ubyte.gz": _packed(labels),
    }


def _packed(array: npt.NDArray[np.uint8]) -> bytes:
    # With no name and no time in its header, the same content always packs into the same bytes.
    packed = BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, compresslevel=9, mtime=0) as file:
        file.write(idx.written(array))
    return packed.getvalue()


if __name__ == "__main__":
    sys.exit(main())
