"""The split into training and validation images, shuffled first, the same for one seed."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from trainer.arrays import Labels
from trainer.data.images import Images
from trainer.data.rows import Rows, Scaling
from trainer.errors import DataError, NotEnoughData


@dataclass(frozen=True, slots=True)
class Split:
    """What a net is trained on and what it is judged on; no image is in both. White is 1 to a net."""

    train: Rows
    validation: Rows
    classes: int
    white: int = 1
    scaling: Scaling | None = None

    def standardised(self) -> "Split":
        """The same split, each feature with the mean 0 and the deviation 1 over the training images."""
        scaling = Scaling.of(self.train)
        return replace(
            self, train=self.train.scaled(scaling), validation=self.validation.scaled(scaling), scaling=scaling
        )


def split(
    images: Images,
    size: int | None,
    validation_fraction: float,
    *,
    split_seed: int,
    stratified: bool = False,
    dtype: npt.DTypeLike = np.float32,
) -> Split:
    """Shuffle, take size of the images (all for None), and set that fraction of them aside for validation.

    It depends on its seed, not on what else a worker has: the images that all workers have are taken first.
    Validation images come from one end of the shuffled ones and training images from the other, so that for one
    fraction no image is on both sides of two splits, whatever their sizes.
    Stratified, each class has its share of the images on both sides, but for rounding.
    Raises NotEnoughData, and DataError when no image would be left on one side.
    """
    validation, train = _numbers(images, size, validation_fraction, split_seed, stratified)
    return Split(images.take(train, dtype), images.take(validation, dtype), images.classes, images.white)


def together(
    images: Images, size: int | None, validation_fraction: float, *, split_seed: int, stratified: bool = False
) -> Rows:
    """The images on both sides of the split, for when there is nothing left to choose; raises as split does."""
    return images.take(np.concatenate(_numbers(images, size, validation_fraction, split_seed, stratified)))


def _numbers(
    images: Images, size: int | None, validation_fraction: float, split_seed: int, stratified: bool
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Of the validation images and of the training images."""
    size = len(images) if size is None else size
    if size > len(images):
        raise NotEnoughData(f"{size:,} images were asked for and there are {len(images):,}: {images.more}")
    common = min(images.common or len(images), len(images))
    aside = validation_size(size, validation_fraction)
    rng = np.random.default_rng(split_seed)
    both = [
        _ends(_shuffled(rng, images.labels, start, end, stratified), taken, round(taken * aside / size))
        for start, end, taken in ((0, common, min(size, common)), (common, len(images), max(0, size - common)))
    ]
    validation, train = (np.concatenate(sides) for sides in zip(*both, strict=True))
    return validation, train


def validation_size(size: int, fraction: float) -> int:
    """How many of size images a fraction is, rounded; raises DataError unless some are left on both sides."""
    aside = round(size * fraction)
    if not 0 < aside < size:
        raise DataError(
            f"a fraction of {fraction} of {size} images leaves {aside} for validation and {size - aside} for "
            "training: take more images, or a fraction nearer to .5"
        )
    return aside


def _shuffled(
    rng: np.random.Generator, labels: Labels, start: int, end: int, stratified: bool
) -> npt.NDArray[np.int64]:
    """The numbers from start to end in random order."""
    shuffled = rng.permutation(end - start)
    return start + (_dealt(shuffled, labels[start:end]) if stratified else shuffled)


def _ends(shuffled: npt.NDArray[np.int64], taken: int, aside: int) -> tuple[npt.NDArray[np.int64], ...]:
    """The first `aside` of them, and the last of the taken ones that are left."""
    return shuffled[:aside], shuffled[len(shuffled) - (taken - aside) :]


def _dealt(shuffled: npt.NDArray[np.int64], labels: Labels) -> npt.NDArray[np.int64]:
    """The same order within each class, the classes dealt evenly, so that any piece holds its share of each."""
    by_class = np.argsort(labels[shuffled], kind="stable")
    counts = np.bincount(labels)
    places = np.empty(len(shuffled))
    start = 0
    for count in counts:
        places[by_class[start : start + count]] = (np.arange(count) + 0.5) / max(count, 1)
        start += count
    return shuffled[np.argsort(places, kind="stable")]
