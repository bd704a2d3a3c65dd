"""The test images, opened once, at the end; nothing imports this module before, and no training does."""

import os
from pathlib import Path

import numpy as np

from trainer.data import embedded, folder, npy, npz
from trainer.data.images import Images
from trainer.data.rows import Rows
from trainer.errors import DataError


def opened(dataset: str, *, features: int, classes: int) -> Rows:
    """All test images, as a net of so many inputs and classes takes them; raises DataError where it cannot."""
    images = held_out_images(dataset)
    found = images.pixels.shape[1]
    if found != features:
        raise DataError(f"the test images of {dataset} have {found} features, and those trained on {features}")
    if images.classes > classes:
        raise DataError(
            f"a test label of {dataset} is {images.classes - 1}, and those trained on are 0 to {classes - 1}"
        )
    return images.take(np.arange(len(images)))


def held_out_images(dataset: str) -> Images:
    """The test images of mnist, digits, npz:PATH or npy:FOLDER; raises DataError, also when there are none."""
    kind, _, path = dataset.partition(":")
    if kind == "npz":
        return npz.images(Path(path), "x_test", "t_test")
    if kind == "npy":
        return npy.images(Path(path), "x_test", "t_test")
    directory = os.environ.get("SHIBORI_DATA_DIR") if kind == "mnist" else None
    if directory:
        return folder.images(Path(directory), "t10k")
    return embedded.images(kind, "t10k")
