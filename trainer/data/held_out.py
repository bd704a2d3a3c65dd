"""Whether a data set has test images, told by names alone: a training that ends in a test asks first."""

import os
from pathlib import Path

from trainer.data import idx, npy, npz


def require_test_images(dataset: str) -> None:
    """Raise DataError where there are none; nothing of them is read."""
    kind, _, path = dataset.partition(":")
    if kind == "npz":
        npz.require(Path(path), ("x_test", "t_test"))
    elif kind == "npy":
        npy.require(Path(path), ("x_test", "t_test"))
    elif kind == "mnist" and (directory := os.environ.get("SHIBORI_DATA_DIR")):
        idx.find(Path(directory), "t10k-images-idx3-ubyte")
        idx.find(Path(directory), "t10k-labels-idx1-ubyte")
