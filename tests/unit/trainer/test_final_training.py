"""The final test of the net: on what it trains, for how long, and that nothing before it reads test images."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainer import objectives
from trainer.data import training_images
from trainer.data.split import split, together
from trainer.errors import DataError, Diverged
from trainer.objectives import Result
from trainer.objectives.base import Objective
from trainer.test_sets import held_out_images

NET = objectives.known()[0]
FAST = {"dataset": "digits", "train_size": 100, "epochs": 5, "batch_size": 20, "hidden_sizes": [16], "lr": 0.1}
Ends = Sequence[Mapping[str, float]]


def drained(run: Any) -> tuple[list[dict[str, float]], Result]:
    curve = []
    while True:
        try:
            curve.append(next(run))
        except StopIteration as end:
            return curve, end.value


def final(ends: Ends = (), seed: int = 0, split_seed: int = 0, **changes: Any) -> tuple[list[dict[str, float]], Result]:
    settings = NET.Settings.model_validate(FAST | changes)
    return drained(NET.final_test(settings, seed=seed, split_seed=split_seed, ends=ends))


def trained(**changes: Any) -> tuple[list[dict[str, float]], Result]:
    return drained(NET.train(NET.Settings.model_validate(FAST | changes), seed=0, split_seed=0))


def npz(folder: Path, **arrays: Any) -> str:
    rng = np.random.default_rng(0)
    usual = {"x": rng.normal(size=(100, 4)), "t": np.arange(100) % 3}
    np.savez(folder / "own.npz", allow_pickle=True, **(usual | arrays))
    return f"npz:{folder / 'own.npz'}"


def test_it_trains_on_training_and_validation_images_together_and_tests_on_all_test_images() -> None:
    curve, result = final()
    assert [set(epoch) for epoch in curve] == [{"epoch", "train_loss", "train_accuracy"}] * 5
    assert result.samples == {"test_accuracy": 359, "train_accuracy": 100}
    assert set(result.metrics) == {"test_accuracy", "train_accuracy", "train_loss"}
    assert 0.3 < result.metrics["test_accuracy"] < 1


def test_together_are_the_images_of_both_sides_each_once() -> None:
    images = training_images("digits")
    sides, rows = split(images, 100, 0.2, split_seed=3), together(images, 100, 0.2, split_seed=3)
    both = np.concatenate([x.copy() for side in (sides.validation, sides.train) for x, _ in side.parts(100)])
    ((all_of_them, _),) = rows.parts(100)
    np.testing.assert_array_equal(all_of_them, both)


def test_the_same_seeds_give_the_same_answer() -> None:
    assert final(seed=3, split_seed=4) == final(seed=3, split_seed=4)
    assert final(seed=3, split_seed=4)[0] != final(seed=2, split_seed=4)[0]
    assert final(seed=3, split_seed=4)[0] != final(seed=3, split_seed=5)[0]


def test_test_images_are_scaled_as_those_trained_on() -> None:
    _, plain = final(epochs=30)
    _, scaled = final(epochs=30, standardize=True)
    assert scaled.metrics["test_accuracy"] > 0.6
    assert scaled != plain


@pytest.mark.parametrize(
    ("changes", "epochs"),
    [
        ({}, 5),
        ({"patience": 2}, 4),
        ({"value_of": "best"}, 2),
        ({"value_of": "best", "patience": 2}, 2),
    ],
    ids=str,
)
def test_it_trains_as_long_as_validation_let_it(changes: dict[str, Any], epochs: int) -> None:
    ends = [{"epoch": 3, "best_epoch": 1}, {"epoch": 4, "best_epoch": 2}, {"epoch": 5, "best_epoch": 3}]
    assert len(final(ends, **changes)[0]) == epochs
    assert len(final([{}], **changes)[0]) == 5


def test_a_final_training_may_diverge_and_then_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trainer.test_sets", None)
    with pytest.raises(Diverged):
        final(lr=1e6, weight_decay=0.1, epochs=50)


def test_training_reads_no_test_image_and_the_final_test_does(tmp_path: Path) -> None:
    raises = np.array([object()])
    dataset = npz(tmp_path, x_test=raises, t_test=raises)
    trained(dataset=dataset, train_size=None)
    with pytest.raises(DataError, match=r"own.npz is no .npz file of plain arrays"):
        final(dataset=dataset, train_size=None)


def test_without_test_images_it_says_so_before_it_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.objectives.multi_layer_net.fit", pytest.fail)
    with pytest.raises(DataError, match=r"has no array x_test: save it with .*x_test=\.\.\., t_test=\.\.\."):
        final(dataset=npz(tmp_path), train_size=None)
    for name, array in (("x", np.zeros((9, 4))), ("t", np.arange(9) % 3), ("x_test", np.zeros((3, 4)))):
        np.save(tmp_path / f"{name}.npy", array)
    with pytest.raises(DataError, match=r"t_test\.npy cannot be read"):
        final(dataset=f"npy:{tmp_path}", train_size=None)
    monkeypatch.setenv("SHIBORI_DATA_DIR", str(tmp_path))
    with pytest.raises(DataError, match="t10k-images"):
        final(dataset="mnist")


def test_test_arrays_of_another_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="have 5 features, and those trained on 4"):
        final(dataset=npz(tmp_path, x_test=np.zeros((2, 5)), t_test=np.arange(2)), train_size=None)
    (tmp_path / "more").mkdir()
    with pytest.raises(DataError, match="is 7, and those trained on are 0 to 2"):
        final(dataset=npz(tmp_path / "more", x_test=np.zeros((2, 4)), t_test=np.array([0, 7])), train_size=None)


def test_the_test_set_of_digits_is_the_fifth_that_nothing_trains_on() -> None:
    assert len(held_out_images("digits")) / (len(held_out_images("digits")) + len(training_images("digits"))) == (
        pytest.approx(0.2, abs=0.001)
    )


def test_an_objective_that_says_nothing_of_a_test_set_has_none() -> None:
    class Bare(Objective):
        name = "bare"

    assert not Bare.has_test_set
    with pytest.raises(DataError, match="bare has no test set"):
        Bare().final_test(None, seed=0, split_seed=0, ends=())
