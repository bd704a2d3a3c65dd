"""The training images: embedded, from a folder of IDX files, or from arrays of one's own."""

import os
from pathlib import Path

from trainer.data import embedded, folder, npy, npz
from trainer.data.images import Images

__all__ = ["Images", "training_images"]


def training_images(dataset: str) -> Images:
    """The images to train and validate on, of mnist, digits, npz:PATH or npy:FOLDER; read once a process.

    MNIST is the full set when SHIBORI_DATA_DIR names a folder that holds it, else the embedded subset.
    Raises DataError.
    """
    kind, _, path = dataset.partition(":")
    if kind == "npz":
        return npz.images(Path(path), "x", "t")
    if kind == "npy":
        return npy.images(Path(path), "x", "t")
    directory = os.environ.get("SHIBORI_DATA_DIR") if kind == "mnist" else None
    if directory:
        return folder.images(Path(directory), "train")
    return embedded.images(kind, "train")
