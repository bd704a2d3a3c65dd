"""The adapters: how each kind of objective is handed a trial and what is read from it."""

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import pytest
from worker_fakes import Listener

import shibori
from service.protocol import ClaimedTrial
from trainer.objectives import Result
from worker.objectives.builtin import Builtin
from worker.objectives.function import FunctionObjective, ObjectiveNotFound, load
from worker.outcome import Unusable, Value
from worker.stopping import Stopped
from worker.trial import Trial

Claimed = Callable[..., ClaimedTrial]


def run(function: Callable[[Trial], object], trial: ClaimedTrial, listener: Listener) -> Value:
    return FunctionObjective(function).run(trial, listener)


@pytest.mark.parametrize(
    ("returned", "value"),
    [
        (0.5, Value(0.5)),
        (1, Value(1.0)),
        (np.float32(0.5), Value(0.5)),
        ((0.5, 100), Value(0.5, 100)),
        ((0.5, None), Value(0.5)),
    ],
)
def test_a_function_returns_a_value_with_or_without_samples(
    returned: object, value: Value, claimed: Claimed, listener: Listener
) -> None:
    assert run(lambda _: returned, claimed(), listener) == value


@pytest.mark.parametrize(
    "returned", [None, "0.5", {"value": 1}, (1, 2, 3), (0.5, 0), (0.5, 1.5), (0.5, "many"), (0.5, 2**63)]
)
def test_what_is_no_value_is_refused_with_a_sentence(returned: object, claimed: Claimed, listener: Listener) -> None:
    with pytest.raises(Unusable, match="must"):
        run(lambda _: returned, claimed(), listener)


def test_a_function_sees_its_trial(claimed: Claimed, listener: Listener) -> None:
    def train(trial: Trial) -> float:
        trial.report(1, train_loss=0.5)
        assert (trial.number, trial.seed, trial.split_seed) == (3, 1, 2)
        assert (dict(trial.params), dict(trial.settings)) == ({"lr": 0.1}, {"lr": 0.1, "epochs": 5})
        assert not trial.should_stop
        return 1.0

    run(train, claimed(settings={"epochs": 5, "lr": 9}), listener)
    assert listener.epochs == [{"epoch": 1, "train_loss": 0.5}]


def test_a_function_that_asks_hears_that_it_shall_stop(claimed: Claimed) -> None:
    assert run(lambda trial: float(trial.should_stop), claimed(), Listener(stops_after=0)) == Value(1.0)


def test_a_generator_reports_what_it_yields_and_returns_the_value(claimed: Claimed, listener: Listener) -> None:
    def train(trial: Trial) -> Generator[dict[str, float], None, tuple[float, int]]:
        yield {"epoch": 1, "train_loss": 0.5}
        yield {"epoch": 2, "train_loss": 0.4}
        return 0.8, 100

    assert run(train, claimed(), listener) == Value(0.8, 100)
    assert len(listener.epochs) == 2


def test_a_generator_that_is_stopped_is_closed(claimed: Claimed) -> None:
    closed = []

    def train(trial: Trial) -> Generator[dict[str, float], None, float]:
        try:
            while True:
                yield {"epoch": 1}
        finally:
            closed.append(True)

    with pytest.raises(Stopped):
        run(train, claimed(), Listener(stops_after=2))
    assert closed == [True]


def test_a_generator_of_something_else_is_refused(claimed: Claimed, listener: Listener) -> None:
    def train(trial: Trial) -> Generator[float, None, float]:
        yield 0.5
        return 1.0

    with pytest.raises(Unusable, match="yields epochs"):
        run(train, claimed(), listener)


def test_an_objective_is_named_after_its_function_or_as_it_says() -> None:
    @shibori.objective
    def plain(trial: Trial) -> float:
        return 0.0

    @shibori.objective(name="my-net")
    def named(trial: Trial) -> float:
        return 0.0

    def bare(trial: Trial) -> float:
        return 0.0

    assert [FunctionObjective(function).name for function in (plain, named, bare)] == ["plain", "my-net", "bare"]


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("train", "module:function"),
        (":f", "module:function"),
        ("no_such_module:f", "No module named"),
        ("math:no_such_function", "no_such_function"),
        ("math:pi", "is no function"),
    ],
)
def test_an_objective_that_cannot_be_found_is_told_in_a_sentence(reference: str, said: str) -> None:
    with pytest.raises(ObjectiveNotFound, match=said):
        load(reference)


class Strict:
    """An objective that knows only one setting, as those that ship with the service do."""

    def __init__(self) -> None:
        from pydantic import BaseModel, ConfigDict, Field

        class Settings(BaseModel):
            model_config = ConfigDict(extra="forbid")
            lr: float = Field(le=1)

        self.name, self.metrics, self.Settings = "strict", ("accuracy",), Settings

    def train(self, settings: Any, *, seed: int, split_seed: int) -> Generator[dict[str, float], None, Result]:
        yield {"epoch": 1, "lr": settings.lr, "seed": seed, "split_seed": split_seed}
        return Result(metrics={"accuracy": 0.75, "loss": 0.5}, samples={"accuracy": 100})

    def final_test(self, settings: Any, **told: Any) -> Generator[dict[str, float], None, Result]:
        yield {"epoch": 1, "seed": told["seed"], "split_seed": told["split_seed"], "ends": len(told["ends"])}
        return Result(metrics={"test_accuracy": 0.7, "accuracy": 0.9}, samples={"test_accuracy": 1_000})


def test_a_final_test_is_worth_its_accuracy_on_test_images_whatever_the_search_was_for(
    claimed: Claimed, listener: Listener
) -> None:
    trial = claimed(metric="accuracy", purpose="final_test", curve_ends=[{"epoch": 9, "best_epoch": 4}])
    assert Builtin(Strict()).run(trial, listener) == Value(0.7, 1_000)  # type: ignore[arg-type]
    assert listener.epochs == [{"epoch": 1, "seed": 1, "split_seed": 2, "ends": 1}]


@pytest.mark.parametrize("purpose", ["search", "confirmation"])
def test_no_other_trial_runs_the_final_test(purpose: str, claimed: Claimed, listener: Listener) -> None:
    trial = claimed(metric="accuracy", purpose=purpose)
    assert Builtin(Strict()).run(trial, listener) == Value(0.75, 100)  # type: ignore[arg-type]


def test_a_function_does_the_final_test_only_where_it_says_so(claimed: Claimed, listener: Listener) -> None:
    def unaware(trial: Trial) -> float:
        return 1.0

    @shibori.objective(final_test=True)
    def aware(trial: Trial) -> float:
        return {"search": 0.1, "confirmation": 0.2, "final_test": 0.3}[trial.purpose]

    final = claimed(purpose="final_test")
    with pytest.raises(Unusable, match=r"'unaware' does no final test: .* @shibori.objective\(final_test=True\)"):
        run(unaware, final, listener)
    assert run(unaware, claimed(purpose="confirmation"), listener) == Value(1.0)
    assert run(aware, final, listener) == Value(0.3)
    assert FunctionObjective(aware).name == "aware"


def test_params_stand_over_settings_and_the_metric_picks_the_value(claimed: Claimed, listener: Listener) -> None:
    trial = claimed(settings={"lr": 0.9}, params={"lr": 0.2}, metric="accuracy")
    assert Builtin(Strict()).run(trial, listener) == Value(0.75, 100)  # type: ignore[arg-type]
    assert listener.epochs == [{"epoch": 1, "lr": 0.2, "seed": 1, "split_seed": 2}]


def test_a_metric_without_samples_has_none(claimed: Claimed, listener: Listener) -> None:
    assert Builtin(Strict()).run(claimed(metric="loss"), listener) == Value(0.5)  # type: ignore[arg-type]


def test_a_metric_that_the_objective_has_not_is_named(claimed: Claimed, listener: Listener) -> None:
    with pytest.raises(Unusable, match="'f1'; it has accuracy, loss"):
        Builtin(Strict()).run(claimed(metric="f1"), listener)  # type: ignore[arg-type]


def test_settings_that_the_worker_does_not_know_are_named(claimed: Claimed, listener: Listener) -> None:
    with pytest.raises(Unusable, match="new_setting"):
        Builtin(Strict()).run(claimed(settings={"new_setting": 1}), listener)  # type: ignore[arg-type]
