"""A saved net predicts what it predicted when it was saved, and its file is no pickle."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainer import objectives
from trainer.data import training_images
from trainer.data.split import split
from trainer.errors import DataError
from trainer.objectives import Result
from trainer.saved import load

FAST = {"dataset": "digits", "train_size": 200, "epochs": 12, "batch_size": 20, "hidden_sizes": [16], "lr": 0.1}


def trained(**changes: Any) -> tuple[list[dict[str, float]], Result]:
    objective = objectives.find("multi_layer_net")
    assert objective is not None
    run = objective.train(objective.Settings.model_validate(FAST | changes), seed=0, split_seed=0)
    curve = []
    while True:
        try:
            curve.append(next(run))
        except StopIteration as end:
            return curve, end.value


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"batch_norm": True, "dropout": 0.2},
        {"standardize": True, "activation": "tanh"},
        {"lr": 0.9, "value_of": "best", "batch_norm": True},
        {"hidden_sizes": []},
    ],
    ids=str,
)
def test_a_saved_net_has_the_accuracy_that_its_trial_reported(changes: dict[str, Any]) -> None:
    _, result = trained(**changes)
    assert result.weights is not None
    predictor = load(io.BytesIO(result.weights()))
    images = training_images("digits")
    numbers = np.random.default_rng(0).permutation(len(images))[:40]
    data = split(images, 200, 0.2, split_seed=0)
    np.testing.assert_array_equal(images.labels[numbers], data.validation.t)
    predicted = predictor.predict(images.pixels[numbers])
    assert np.mean(predicted == data.validation.t) == pytest.approx(result.metrics["validation_accuracy"])
    probabilities = predictor.probabilities(images.pixels[numbers])
    np.testing.assert_array_equal(probabilities.argmax(axis=1), predicted)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert predictor.settings["dataset"] == "digits"


def test_the_file_is_of_plain_arrays_and_opens_from_a_path(tmp_path: Path) -> None:
    _, result = trained()
    assert result.weights is not None
    path = tmp_path / "net.npz"
    path.write_bytes(result.weights())
    with np.load(path, allow_pickle=False) as arrays:
        assert {array.dtype.kind for array in arrays.values()} <= {"f", "U"}
    assert load(path).predict(np.empty((0, 64))).tolist() == []


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "no net"), (b"PK\x03\x04 broken", "no net")],
)
def test_what_is_no_saved_net_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(io.BytesIO(content))


@pytest.mark.parametrize(
    "changes",
    [
        {"parameters": lambda kept: kept["parameters"][:-1]},
        {"parameters": lambda kept: kept["parameters"] * np.nan},
        {"parameters": lambda kept: kept["parameters"].astype(str)},
        {"mean": lambda kept: np.zeros(7)},
        {"deviation": lambda kept: np.zeros(64)},
        {"about": lambda kept: np.array(str(kept["about"]).replace('"white": 16', '"white": 0'))},
        {"about": lambda kept: np.array(str(kept["about"]).replace('"white": 16', '"white": "x"'))},
        {"about": lambda kept: np.array(str(kept["about"]).replace("[64, 16, 10]", "[64, 90000, 90000, 10]"))},
    ],
)
def test_a_damaged_net_is_refused_before_it_is_made(changes: dict[str, Any]) -> None:
    _, result = trained(standardize=True)
    assert result.weights is not None
    with np.load(io.BytesIO(result.weights())) as arrays:
        kept = dict(arrays)
    changed = io.BytesIO()
    np.savez(changed, **(kept | {name: change(kept) for name, change in changes.items()}))
    changed.seek(0)
    with pytest.raises(DataError, match="damaged"):
        load(changed)


def test_images_of_another_size_and_a_file_that_is_not_there_are_refused(tmp_path: Path) -> None:
    _, result = trained()
    assert result.weights is not None
    with pytest.raises(DataError, match=r"the net takes \(n, 64\)"):
        load(io.BytesIO(result.weights())).predict(np.zeros((3, 65)))
    with pytest.raises(DataError, match="cannot be read"):
        load(tmp_path / "none.npz")
