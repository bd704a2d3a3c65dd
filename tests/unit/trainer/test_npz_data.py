import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainer.data import training_images
from trainer.data.split import split
from trainer.errors import DataError, NotEnoughData
from trainer.test_sets import held_out_images

X = np.random.default_rng(0).normal(size=(30, 4))
T = np.arange(30) % 3


def saved(folder: Path, **arrays: Any) -> str:
    np.savez(folder / "data.npz", **arrays)
    return f"npz:{folder / 'data.npz'}"


def test_arrays_x_and_t_are_the_images_and_labels(tmp_path: Path) -> None:
    images = training_images(saved(tmp_path, x=X.reshape(30, 2, 2), t=T))
    np.testing.assert_array_equal(images.pixels, X.astype(np.float32))
    np.testing.assert_array_equal(images.labels, T)
    assert images.classes == 3


def test_a_file_is_read_again_when_it_has_changed(tmp_path: Path) -> None:
    dataset = saved(tmp_path, x=X, t=T)
    first = training_images(dataset)
    assert training_images(dataset) is first
    saved(tmp_path, x=X[:20], t=T[:20])
    os.utime(tmp_path / "data.npz", ns=(1, 1))
    assert len(training_images(dataset)) == 20


def test_test_arrays_are_held_out_and_training_never_reads_them(tmp_path: Path) -> None:
    assert len(held_out_images(saved(tmp_path, x=X, t=T, x_test=X[:5], t_test=T[:5]))) == 5
    unreadable = np.array([object()], dtype=object)
    dataset = saved(tmp_path, x=X, t=T, x_test=unreadable, t_test=unreadable)
    os.utime(tmp_path / "data.npz", ns=(2, 2))
    assert len(training_images(dataset)) == 30
    with pytest.raises(DataError):
        held_out_images(dataset)


def test_more_rows_than_the_file_has_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotEnoughData, match="there are 30: take fewer, or put more into the file"):
        split(training_images(saved(tmp_path, x=X, t=T)), 500, 0.2, split_seed=0)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": X}, "has no array t: save it with"),
        ({"t": T}, "has no array x"),
        ({"x": X[:, 0], "t": T}, r"x has the shape \(30,\): it must be \(images, features\)"),
        ({"x": X[:, :0], "t": T}, "neither of them 0"),
        ({"x": X.astype(str), "t": T}, "must be of numbers"),
        ({"x": X, "t": T[:-1]}, "x has 30 rows and t has 29"),
        ({"x": X, "t": T.astype(float)}, "of integers"),
        ({"x": X, "t": np.eye(3, dtype=int)[T]}, "of integers"),
        ({"x": X, "t": T - 1}, "has a negative label"),
        ({"x": X, "t": T[:0]}, "or none at all"),
        ({"x": X, "t": T * 0}, "has a single class, 0"),
        ({"x": np.where(X > 1, np.nan, X), "t": T}, "not finite"),
        ({"x": np.where(X > 1, 1e300, X), "t": T}, "not finite in float32"),
        ({"x": X, "t": T.astype(object)}, "without objects"),
        ({"x": X, "t": T + 10**9}, "at most"),
    ],
)
def test_wrong_arrays_are_refused_with_the_way_out(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        training_images(saved(tmp_path, **arrays))


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut"])
def test_a_file_that_is_no_npz_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "data.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"is no \.npz file"):
        training_images(f"npz:{tmp_path / 'data.npz'}")


def test_a_single_array_is_no_npz_file(tmp_path: Path) -> None:
    np.save(tmp_path / "data.npy", X)
    with pytest.raises(DataError, match=r"is no \.npz file"):
        training_images(f"npz:{tmp_path / 'data.npy'}")


def test_a_missing_file_or_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        training_images(f"npz:{tmp_path / 'nowhere.npz'}")
    with pytest.raises(DataError, match=r"is no \.npz file"):
        training_images(f"npz:{tmp_path}")
