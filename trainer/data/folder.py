"""The images in a folder of IDX files, gzipped or not, such as the full MNIST."""

from functools import lru_cache
from pathlib import Path

from trainer.data import arrays, idx, subset
from trainer.data.images import Images
from trainer.errors import DataError

MORE = "take fewer (this folder of IDX files holds no more)"


@lru_cache(maxsize=4)
def images(directory: Path, part: str) -> Images:
    """The images of a part, such as train; raises DataError when files are missing or damaged."""
    if not directory.is_dir():
        raise DataError(f"SHIBORI_DATA_DIR names {directory}, which is no folder: name the one with the IDX files")
    pixels = idx.read_images(*_content(directory, f"{part}-images-idx3-ubyte"))
    labels = idx.read_labels(*_content(directory, f"{part}-labels-idx1-ubyte"))
    if len(pixels) != len(labels) or not pixels.size:
        raise DataError(f"{directory} has {len(pixels):,} images and {len(labels):,} labels: get both again")
    arrays.check_labels(labels, f"{directory}/{part}")
    if len(labels) != subset.FULL.get(part):
        return Images(pixels, labels, 255, MORE)
    order = subset.embedded_first(len(labels))
    return Images(pixels[order], labels[order], 255, MORE, common=subset.SIZES[part])


def _content(directory: Path, stem: str) -> tuple[bytes, str]:
    path = idx.find(directory, stem)
    return idx.unpacked(path.read_bytes(), str(path)), str(path)
