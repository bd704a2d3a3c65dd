import tracemalloc
from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest

from trainer import optimizers
from trainer.batches import Batches
from trainer.data import training_images
from trainer.data.rows import LoadedRows
from trainer.data.split import Split, split
from trainer.errors import Diverged
from trainer.initializers import he
from trainer.network import Architecture, MultiLayerNet, Regularisation
from trainer.training import Epoch, Plan, train


def digits(size: int = 200) -> Split:
    return split(training_images("digits"), size, 0.2, split_seed=0)


def run(plan: Plan, data: Split | None = None, *, weight_decay: float = 1e-4) -> Iterator[Epoch]:
    data = data or digits()
    rng = np.random.default_rng(0)
    network = MultiLayerNet(
        Architecture(widths=[64, 20, 10]),
        50,
        initializer=he,
        rng=rng,
        regularisation=Regularisation(l2=weight_decay),
    )
    return train(network, optimizers.create("sgd", network.parameters.values), data, plan, rng)


def test_epochs_are_numbered_from_one_and_the_net_learns() -> None:
    curve = list(run(Plan(epochs=60, batch_size=20, lr=0.1)))
    assert [epoch.epoch for epoch in curve] == list(range(1, 61))
    assert curve[-1].train_loss < curve[0].train_loss / 4
    assert curve[-1].train_accuracy > 0.95
    assert curve[-1].validation_accuracy > 0.7


def test_training_stops_between_epochs_when_it_is_closed() -> None:
    epochs = run(Plan(epochs=1_000_000, batch_size=20, lr=0.1))
    assert [epoch.epoch for epoch in islice(epochs, 2)] == [1, 2]
    epochs.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("lr", [100.0, 1e6])
def test_a_loss_that_is_not_finite_ends_training_at_once_and_without_a_warning(lr: float) -> None:
    with pytest.raises(Diverged, match="try a smaller learning rate"):
        list(run(Plan(epochs=50, batch_size=20, lr=lr), weight_decay=0.1))


def test_every_step_is_checked() -> None:
    seen = []
    with pytest.raises(Diverged, match="in a step"):
        seen.extend(run(Plan(epochs=1, batch_size=1, lr=1e6), weight_decay=0.1))
    assert seen == []


def test_the_last_step_of_an_epoch_is_checked_by_its_evaluation() -> None:
    with pytest.raises(Diverged, match="after epoch 1"):
        list(run(Plan(epochs=1, batch_size=50, lr=3e38), digits(70)))


def test_the_callers_floating_point_errors_are_its_own() -> None:
    before = np.geterr()
    epochs = run(Plan(epochs=2, batch_size=20, lr=0.1))
    next(epochs)
    assert np.geterr() == before


@pytest.mark.parametrize(("batch_size", "steps"), [(100, 4), (400, 1), (500, 1), (150, 2), (1, 400)])
def test_an_epoch_has_training_images_by_batch_size_steps_and_at_least_one(batch_size: int, steps: int) -> None:
    x, t = np.zeros((400, 2), np.float32), np.zeros(400, np.int64)
    drawn = [(a.shape, b.shape) for a, b in Batches(LoadedRows(x, t), batch_size, np.random.default_rng(0)).epoch()]
    assert drawn == [((batch_size, 2), (batch_size,))] * steps


def test_batches_are_drawn_with_replacement_and_labels_stay_with_their_images() -> None:
    t = np.arange(50)
    x = np.stack([t, t * 2], axis=1).astype(np.float32)
    batches = Batches(LoadedRows(x, t), 50, np.random.default_rng(0))
    drawn = []
    for _ in range(100):
        for images, labels in batches.epoch():
            np.testing.assert_array_equal(images[:, 1], labels * 2)
            assert len(set(labels.tolist())) < 50
            drawn += labels.tolist()
    counts = np.bincount(drawn, minlength=50)
    assert counts.min() > 50
    assert counts.max() < 150


def test_batches_without_replacement_are_a_permutation_an_epoch_with_what_is_left_in_the_last() -> None:
    t = np.arange(50)
    x = np.stack([t, t * 2], axis=1).astype(np.float32)
    batches = Batches(LoadedRows(x, t), 16, np.random.default_rng(0), replacement=False)
    epochs = []
    for _ in range(3):
        drawn = []
        for images, labels in batches.epoch():
            np.testing.assert_array_equal(images[:, 1], labels * 2)
            drawn.append(labels.tolist())
        assert [len(batch) for batch in drawn] == [16, 16, 16, 2]
        assert len(drawn) == batches.steps
        epochs.append([label for batch in drawn for label in batch])
    assert all(sorted(epoch) == list(range(50)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_patience_ends_training_after_epochs_without_a_better_validation_accuracy() -> None:
    curve = [epoch.validation_accuracy for epoch in run(Plan(epochs=10_000, batch_size=20, lr=0.1, patience=7))]
    best = curve.index(max(curve))
    assert len(curve) == best + 1 + 7
    assert len(list(run(Plan(epochs=3, batch_size=20, lr=0.1, patience=7)))) == 3


def test_the_learning_rate_of_a_step_is_that_of_the_schedule_in_its_middle() -> None:
    asked: list[float] = []

    def schedule(time: float) -> float:
        asked.append(time)
        return 0.0

    curve = list(run(Plan(epochs=2, batch_size=40, lr=0.1, schedule=schedule)))
    assert asked == [0.125, 0.375, 0.625, 0.875, 1.125, 1.375, 1.625, 1.875]
    assert curve[0].train_loss == curve[1].train_loss


def test_nothing_grows_with_the_steps_and_a_step_allocates_next_to_nothing() -> None:
    epochs = run(Plan(epochs=400, batch_size=50, lr=0.05))
    for _ in islice(epochs, 5):
        pass
    tracemalloc.start()
    try:
        for _ in islice(epochs, 20):
            pass
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        for _ in islice(epochs, 300):
            pass
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 2_000
    assert peak - before < 50 * 64 * 4
