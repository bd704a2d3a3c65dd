import subprocess
import sys
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from trainer import objectives, optimizers
from trainer.objectives import DataError, Diverged, NotEnoughData, Result

FAST = {"dataset": "digits", "train_size": 100, "epochs": 5, "batch_size": 20, "hidden_sizes": [16], "lr": 0.1}


def objective() -> objectives.Objective:
    found = objectives.find("multi_layer_net")
    assert found is not None
    return found


def settings(**changes: Any) -> BaseModel:
    return objective().Settings.model_validate(FAST | changes)


def trained(seed: int = 0, split_seed: int = 0, **changes: Any) -> tuple[list[dict[str, float]], Result]:
    run = objective().train(settings(**changes), seed=seed, split_seed=split_seed)
    curve = []
    while True:
        try:
            curve.append(next(run))
        except StopIteration as end:
            return curve, end.value


def test_objectives_are_found_by_their_names() -> None:
    assert [known.name for known in objectives.known()] == ["multi_layer_net"]
    assert objective() is objectives.known()[0]
    assert objectives.find("nonesuch") is None


@pytest.mark.parametrize("known", objectives.known(), ids=lambda known: known.name)
def test_settings_are_frozen_and_every_field_has_a_default_and_a_description(known: objectives.Objective) -> None:
    schema = known.Settings.model_json_schema()
    assert schema["additionalProperties"] is False
    assert all({"default", "description"} <= field.keys() for field in schema["properties"].values())
    assert known.Settings.model_config["frozen"]
    assert known.Settings.model_validate_json(known.Settings().model_dump_json()) == known.Settings()


def test_an_epoch_hands_out_its_metrics_and_the_result_is_the_last_of_them() -> None:
    curve, result = trained()
    assert [epoch["epoch"] for epoch in curve] == [1, 2, 3, 4, 5]
    assert set(curve[0]) == {"epoch", *objective().metrics, "best_epoch", "best_validation_accuracy"}
    assert result.metrics == {name: curve[-1][name] for name in objective().metrics}
    assert result.samples == {"validation_accuracy": 20, "train_accuracy": 80}
    assert all(type(number) in (int, float) for number in curve[0].values())


def test_the_same_seeds_give_the_same_curve_bit_for_bit() -> None:
    assert trained(3, 4) == trained(3, 4)
    assert trained(3, 4) != trained(2, 4)
    assert trained(3, 4) != trained(3, 5)


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh"])
@pytest.mark.parametrize("optimizer", sorted(optimizers.known()))
def test_every_activation_and_optimizer_trains(activation: str, optimizer: str) -> None:
    curve, _ = trained(activation=activation, optimizer=optimizer, epochs=30, lr=0.02)
    assert curve[-1]["train_loss"] < curve[0]["train_loss"]


@pytest.mark.parametrize(
    "changes",
    [
        {"batch_norm": True},
        {"dropout": 0.3},
        {"l1": 0.01},
        {"max_norm": 0.5},
        {"loss": "mean_squared_error"},
        {"weight_init": "zero"},
        {"replacement": False},
        {"standardize": True},
        {"stratified": True},
        {"schedule": "cosine"},
        {"schedule": "step", "schedule_every": 1},
        {"schedule": "exponential"},
        {"warmup_epochs": 2.5},
        {"hidden_layers": 2},
        {"hidden_width": 8},
        {"optimizer": "adam", "beta1": 0.5},
        {"optimizer": "adam", "beta2": 0.9},
        {"optimizer": "adam", "epsilon": 0.1},
        {"optimizer": "rmsprop", "rho": 0.5},
        {"optimizer": "nesterov", "momentum": 0.5},
        {"optimizer": "adamw", "weight_decay": 0.5},
    ],
    ids=str,
)
def test_every_setting_makes_a_difference(changes: dict[str, Any]) -> None:
    optimizer = {"optimizer": changes["optimizer"]} if "optimizer" in changes else {}
    assert trained(**changes)[0] != trained(**optimizer)[0]


def test_the_value_is_that_of_the_last_epoch_or_of_the_best_and_both_are_in_the_curve() -> None:
    changes = {"lr": 0.9, "epochs": 30, "patience": 4, "train_size": 200}
    curve, last = trained(**changes)
    same, best = trained(**changes, value_of="best")
    assert curve == same
    accuracies = [epoch["validation_accuracy"] for epoch in curve]
    assert accuracies[-1] < max(accuracies)
    assert last.metrics["validation_accuracy"] == accuracies[-1]
    assert best.metrics["validation_accuracy"] == max(accuracies) == curve[-1]["best_validation_accuracy"]
    assert curve[-1]["best_epoch"] == accuracies.index(max(accuracies)) + 1
    assert curve[0]["best_epoch"] == 1


@pytest.mark.parametrize(
    ("changes", "widths"),
    [
        ({}, (16,)),
        ({"hidden_layers": 3}, (16, 16, 16)),
        ({"hidden_width": 5, "hidden_sizes": [4, 3]}, (5, 5)),
        ({"hidden_width": 5, "hidden_layers": 3}, (5, 5, 5)),
        ({"hidden_layers": 0}, ()),
    ],
)
def test_depth_and_width_can_be_searched_as_integers(changes: dict[str, Any], widths: tuple[int, ...]) -> None:
    chosen: Any = settings(**changes)
    assert chosen.widths == widths


def test_momentum_and_weight_decay_make_a_difference() -> None:
    curves = [trained(**changes)[0] for changes in ({}, {"weight_decay": 0.1}, {"optimizer": "momentum"}, {"lr": 0.05})]
    assert len({str(curve) for curve in curves}) == 4


def test_training_on_all_images_and_without_hidden_layers() -> None:
    _, result = trained(train_size=None, hidden_sizes=[], epochs=1)
    assert result.samples == {"validation_accuracy": 288, "train_accuracy": 1_150}


def test_a_batch_may_be_larger_than_the_training_set() -> None:
    curve, _ = trained(batch_size=300)
    assert len(curve) == 5


def test_divergence_and_missing_data_are_errors_of_their_own() -> None:
    with pytest.raises(Diverged):
        trained(lr=1e6, weight_decay=0.1, epochs=50)
    with pytest.raises(NotEnoughData, match="SHIBORI_DATA_DIR"):
        trained(dataset="mnist", train_size=60_000)
    with pytest.raises(DataError):
        trained(dataset="npz:nowhere.npz")


def test_the_reference_task_reaches_its_known_accuracy() -> None:
    reference = objective().Settings.model_validate({"lr": 0.0092, "weight_decay": 3.86e-7})
    finals = []
    for seed in range(4):
        *_, last = objective().train(reference, seed=seed, split_seed=0)
        finals.append(last["validation_accuracy"])
    assert sum(finals) / 4 == pytest.approx(0.74, abs=0.1)


def test_a_hundredth_of_the_best_learning_rate_learns_little() -> None:
    reference = objective().Settings.model_validate({"lr": 1e-4})
    *_, last = objective().train(reference, seed=0, split_seed=0)
    assert last["validation_accuracy"] < 0.25


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"dataset": "cifar"}, "dataset", "must be mnist, digits, npz:PATH or npy:FOLDER"),
        ({"dataset": "npz:"}, "dataset", "must be mnist, digits, npz:PATH or npy:FOLDER"),
        ({"dataset": "mnist", "train_size": 60_001}, "train_size", "at most 60,000"),
        ({"train_size": 1_439}, "train_size", "at most 1,438"),
        ({"train_size": 1}, "train_size", "greater than or equal to 2"),
        ({"train_size": True}, "train_size", "valid integer"),
        ({"train_size": "500"}, "train_size", "valid integer"),
        ({"train_size": 2}, "validation_fraction", "leaves 0 for validation"),
        ({"validation_fraction": 1.0}, "validation_fraction", "less than 1"),
        ({"epochs": 0}, "epochs", "greater than or equal to 1"),
        ({"batch_size": 0}, "batch_size", "greater than or equal to 1"),
        ({"hidden_sizes": [0]}, "hidden_sizes", "greater than or equal to 1"),
        ({"hidden_sizes": [1] * 101}, "hidden_sizes", "at most 100"),
        ({"hidden_sizes": [10_000, 10_000]}, "hidden_sizes", "must be at most 20,000,000"),
        ({"activation": "step"}, "activation", "'relu', 'sigmoid' or 'tanh'"),
        (
            {"optimizer": "nonesuch"},
            "optimizer",
            "must be one of adagrad, adam, adamw",
        ),
        ({"momentum": 1.0}, "momentum", "less than 1"),
        ({"dropout": 1.0}, "dropout", "less than 1"),
        ({"loss": "hinge"}, "loss", "'cross_entropy' or 'mean_squared_error'"),
        ({"max_norm": 0.0}, "max_norm", "greater than 0"),
        ({"hidden_layers": 100, "hidden_width": 10_000}, "hidden_width", "must be at most 20,000,000"),
        ({"hidden_sizes": [], "hidden_layers": 3}, "hidden_width", "say the shape together"),
        ({"hidden_sizes": [], "hidden_width": 3}, "hidden_width", "say the shape together"),
        ({"batch_norm": True, "batch_size": 1}, "batch_norm", "batch_size of 2"),
        ({"optimizer": "adam", "epsilon": 0.0}, "epsilon", "greater than or equal to 0.000000000001"),
        ({"dataset": "mnist\n"}, "dataset", "must be mnist, digits"),
        ({"dataset": "npy:"}, "dataset", "must be mnist, digits, npz:PATH or npy:FOLDER"),
        ({"lr": "0.1"}, "lr", "valid number"),
        ({"lr": True}, "lr", "valid number"),
        ({"lr": float("nan")}, "lr", "finite number"),
        ({"weight_decay": -1e-9}, "weight_decay", "greater than or equal to 0"),
        ({"learning_rate": 0.1}, "learning_rate", "not permitted"),
    ],
)
def test_wrong_settings_name_the_field_and_what_would_be_right(
    changes: dict[str, Any], field: str, message: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        settings(**changes)
    (error,) = refused.value.errors()
    assert error["loc"][0] == field
    assert message in error["msg"]


def test_an_integer_is_a_number() -> None:
    assert settings(lr=1, weight_decay=0).model_dump()["lr"] == 1.0


def test_importing_the_objectives_brings_in_no_web_framework_and_no_plots() -> None:
    code = (
        "import sys, trainer.objectives as o; o.known(); "
        "print({'fastapi', 'sqlalchemy', 'matplotlib', 'scipy', 'sklearn', 'urllib.request'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
