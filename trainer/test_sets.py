"""The test images, opened once, at the end; nothing that trains imports this module."""

import os
from pathlib import Path

from trainer.data import embedded, folder, npy, npz
from trainer.data.images import Images


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
