"""A folder of one's own arrays, which are mapped and not read."""

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainer import test_sets
from trainer.data import training_images
from trainer.data.split import split
from trainer.errors import DataError
from trainer.objectives import find

N, FEATURES = 60, 5


def saved(folder: Path, **arrays: Any) -> str:
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    return f"npy:{folder}"


def numbers(seed: int = 0, n: int = N) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    t = rng.integers(3, size=n)
    return rng.normal(t[:, None], 1.0, (n, FEATURES)).astype(np.float32), t


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8])
def test_rows_come_as_they_are_in_the_file(tmp_path: Path, dtype: type) -> None:
    x, t = numbers()
    x = (x * 20).astype(dtype)
    rows = split(training_images(saved(tmp_path, x=x, t=t)), None, 0.2, split_seed=0)
    assert (len(rows.train.t), len(rows.validation.t), rows.classes) == (48, 12, 3)
    seen = [
        (row, label)
        for part in (rows.train, rows.validation)
        for xs, ts in part.parts(7)
        for row, label in zip(xs.tolist(), ts.tolist(), strict=True)
    ]
    expected = list(zip(x.astype(np.float32).tolist(), t.tolist(), strict=True))
    assert sorted(seen) == sorted(expected)


def test_training_from_the_file_is_training_from_memory(tmp_path: Path) -> None:
    x, t = numbers()
    mapped = saved(tmp_path, x=x, t=t)
    np.savez(tmp_path / "both.npz", x=x, t=t)
    objective = find("multi_layer_net")
    assert objective is not None
    curves = []
    for dataset in (mapped, f"npz:{tmp_path / 'both.npz'}"):
        changes = {"dataset": dataset, "train_size": None, "hidden_sizes": [8], "epochs": 5, "batch_size": 10}
        settings = objective.Settings.model_validate(changes | {"standardize": True})
        curves.append(list(objective.train(settings, seed=1, split_seed=2)))
    assert curves[0] == curves[1]


def test_pixels_are_not_read_into_memory(tmp_path: Path) -> None:
    n = 20_000
    x = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.float32, (n, 500))
    np.save(tmp_path / "t.npy", np.arange(n) % 2)
    x.flush()
    tracemalloc.start()
    try:
        rows = split(training_images(f"npy:{tmp_path}"), None, 0.2, split_seed=0)
        next(iter(rows.train.parts(100)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < x.nbytes / 2


def test_test_arrays_are_held_out(tmp_path: Path) -> None:
    x, t = numbers()
    dataset = saved(tmp_path, x=x, t=t, x_test=x[:7], t_test=t[:7] % 2)
    assert len(test_sets.held_out_images(dataset)) == 7
    assert len(training_images(dataset)) == N


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": np.zeros((N, 2, 2))}, "must be .images, features."),
        ({"x": np.zeros(N)}, "must be .images, features."),
        ({"x": np.full((N, 2), np.nan)}, "not finite"),
        ({"x": np.full((N, 2), "a")}, "of numbers"),
        ({"x": np.zeros((N - 1, 2))}, "59 rows"),
        ({"t": np.zeros(N, int)}, "a single class"),
        ({"t": np.full(N, -1)}, "negative label"),
        ({"t": np.arange(N) * 1_000}, "number the classes from 0"),
        ({"t": np.zeros(N)}, "of integers"),
    ],
)
def test_wrong_arrays_are_refused_with_the_way_out(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    x, t = numbers()
    with pytest.raises(DataError, match=message):
        training_images(saved(tmp_path, **({"x": x, "t": t} | changes)))


def test_files_that_are_missing_or_no_arrays_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"x\.npy cannot be read"):
        training_images(f"npy:{tmp_path}")
    (tmp_path / "x.npy").write_bytes(b"no array")
    (tmp_path / "t.npy").write_bytes(b"no array")
    with pytest.raises(DataError, match="is no plain array"):
        training_images(f"npy:{tmp_path}")
    np.savez(tmp_path / "x.npz", x=np.zeros(3))
    (tmp_path / "x.npz").rename(tmp_path / "x.npy")
    with pytest.raises(DataError, match="is an archive"):
        training_images(f"npy:{tmp_path}")


def test_a_file_is_checked_again_when_it_has_changed(tmp_path: Path) -> None:
    x, t = numbers()
    dataset = saved(tmp_path, x=x, t=t)
    assert len(training_images(dataset)) == N
    more_x, more_t = numbers(n=2 * N)
    saved(tmp_path, x=more_x, t=more_t)
    assert len(training_images(dataset)) == 2 * N
