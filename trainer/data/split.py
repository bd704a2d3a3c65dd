"""The split into training and validation images, shuffled first, the same for one seed."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainer.data.images import Batch, Images
from trainer.errors import DataError, NotEnoughData


@dataclass(frozen=True, slots=True)
class Split:
    """What a net is trained on and what it is judged on; no image is in both."""

    train: Batch
    validation: Batch
    classes: int


def split(
    images: Images,
    size: int | None,
    validation_fraction: float,
    *,
    split_seed: int,
    dtype: npt.DTypeLike = np.float32,
) -> Split:
    """Shuffle, take size of the images (all for None), and set that fraction of them aside for validation.

    Raises NotEnoughData, and DataError when no image would be left on one side.
    """
    size = len(images) if size is None else size
    if size > len(images):
        raise NotEnoughData(f"{size:,} images were asked for and there are {len(images):,}: {images.more}")
    shuffled = np.random.default_rng(split_seed).permutation(len(images))[:size]
    aside = validation_size(size, validation_fraction)
    return Split(images.take(shuffled[aside:], dtype), images.take(shuffled[:aside], dtype), images.classes)


def validation_size(size: int, fraction: float) -> int:
    """How many of size images a fraction is, rounded; raises DataError unless some are left on both sides."""
    aside = round(size * fraction)
    if not 0 < aside < size:
        raise DataError(
            f"a fraction of {fraction} of {size} images leaves {aside} for validation and {size - aside} for "
            "training: take more images, or a fraction nearer to .5"
        )
    return aside
