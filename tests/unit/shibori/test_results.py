"""Results from elsewhere: files with every kind of column, and studies of Optuna's."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from service.protocol import StudyView
from shibori.results import Unreadable, from_csv, from_optuna

SPACE: dict[str, Any] = {
    "lr": {"type": "float", "low": 1e-6, "high": 1.0, "scale": "log"},
    "layers": {"type": "int", "low": 1, "high": 6},
    "optimizer": {"type": "categorical", "choices": ["sgd", "momentum"]},
    "momentum": {"type": "float", "low": 0.0, "high": 1.0, "when": {"optimizer": ["momentum"]}},
}


def study(space: dict[str, Any] = SPACE, goal: str = "maximize") -> StudyView:
    return StudyView.model_validate(
        {
            "name": "book",
            "objective": {"name": "mine"},
            "metric": {"name": "accuracy", "goal": goal},
            "space": space,
            "budget": {"trials": 9},
            "id": "1",
            "status": "running",
            "counts": {},
            "round": 0,
            "chain": [0],
            "warnings": [],
            "created_at": "2026-01-01T00:00:00Z",
            **dict.fromkeys(["best", "ended_by", "eta_seconds", "started_at", "finished_at"]),
        }
    )


def test_each_kind_of_parameter_is_read_and_an_empty_cell_is_one_that_was_not_in_use() -> None:
    file = StringIO("lr,layers,optimizer,momentum,accuracy,samples\n1e-3,2,momentum,.9,0.5,100\n0.1,3,sgd,,0.25,\n\n")
    first, second = from_csv(file, study()).trials
    assert first.params == {"lr": 1e-3, "layers": 2, "optimizer": "momentum", "momentum": 0.9}
    assert (first.value, first.samples) == (0.5, 100)
    assert second.params == {"lr": 0.1, "layers": 3, "optimizer": "sgd"}
    assert (second.value, second.samples) == (0.25, None)
    assert type(second.params["layers"]) is int


def test_what_optuna_writes_is_read_and_what_did_not_complete_is_left_out() -> None:
    file = StringIO(
        "number,value,params_lr,params_layers,params_optimizer,state\n"
        "0,0.5,0.001,2.0,sgd,COMPLETE\n1,,0.1,3,sgd,FAIL\n2,0.1,0.1,3,sgd,PRUNED\n"
    )
    results = from_csv(file, study())
    assert [(trial.params, trial.value) for trial in results.trials] == [
        ({"lr": 0.001, "layers": 2, "optimizer": "sgd"}, 0.5)
    ]
    assert results.skipped == 2


@pytest.mark.parametrize(("text", "choice"), [("True", True), ("false", False), ("1", 1), ("2.0", 2), ("x", "x")])
def test_a_choice_is_found_by_any_of_its_spellings(text: str, choice: object) -> None:
    choices = [True, False, "x"] if choice in ("x",) or isinstance(choice, bool) else [1, 2, "x"]
    space = {"c": {"type": "categorical", "choices": choices}}
    (trial,) = from_csv(StringIO(f"c,value\n{text},1\n"), study(space)).trials
    assert trial.params["c"] == choice
    assert type(trial.params["c"]) is type(choice)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column for layers, lr, optimizer"),
        ("lr,layers,optimizer\n1,1,sgd\n", "no column value or accuracy"),
        ("lr,layers,optimizer,value\n1,1,sgd,much\n", "Line 2, column value: must be a finite number, got 'much'"),
        ("lr,layers,optimizer,value\n1,1,sgd,1\nnan,1,sgd,1\n", "Line 3, column lr"),
        ("lr,layers,optimizer,value\n1,1.5,sgd,1\n", "column layers: must be a whole number"),
        ("lr,layers,optimizer,value\n1,1,adam,1\n", "'adam' is none of the choices sgd, momentum"),
        ("lr,layers,optimizer,value\n1,1\n", "Line 2, column value"),
        ("lr,layers,optimizer,value,samples\n1,1,sgd,1,0\n", "Line 2, samples: .*greater than or equal to 1"),
        (f"lr,layers,optimizer,value\n{'1' * 200_000},1,sgd,1\n", "no CSV in UTF-8"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line_and_column(text: str, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        from_csv(StringIO(text), study())


@pytest.fixture
def storage(tmp_path: Path) -> str:
    optuna = pytest.importorskip("optuna", reason="Optuna is not installed")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    url = f"sqlite:///{tmp_path / 'optuna.db'}"
    made = optuna.create_study(study_name="theirs", storage=url, direction="maximize")
    floats, whole = optuna.distributions.FloatDistribution(1e-6, 1), optuna.distributions.IntDistribution(1, 6)
    choice = optuna.distributions.CategoricalDistribution(["sgd", "momentum"])
    kinds = {"lr": floats, "layers": whole, "optimizer": choice}
    for value, state in ((0.5, optuna.trial.TrialState.COMPLETE), (None, optuna.trial.TrialState.FAIL)):
        params = {"lr": 0.01, "layers": 3, "optimizer": "sgd"}
        made.add_trial(optuna.trial.create_trial(state=state, value=value, params=params, distributions=kinds))
    return url


def test_the_completed_trials_of_an_optuna_study_are_read(storage: str) -> None:
    results = from_optuna(storage, "theirs", study())
    assert [(trial.params, trial.value) for trial in results.trials] == [
        ({"lr": 0.01, "layers": 3, "optimizer": "sgd"}, 0.5)
    ]
    assert results.skipped == 1


def test_an_optuna_study_with_another_goal_or_another_name_is_refused(storage: str) -> None:
    with pytest.raises(Unreadable, match="is there to maximize, and book to minimize"):
        from_optuna(storage, "theirs", study(goal="minimize"))
    with pytest.raises(Unreadable, match="no study 'nobody'"):
        from_optuna(storage, "nobody", study())


def test_a_storage_that_is_not_there_is_refused_and_not_made(tmp_path: Path) -> None:
    pytest.importorskip("optuna", reason="Optuna is not installed")
    for storage, said in ((f"sqlite:///{tmp_path / 'none.db'}", "There is no file"), ("nonsense", "cannot be read")):
        with pytest.raises(Unreadable, match=said):
            from_optuna(storage, "theirs", study())
    assert list(tmp_path.iterdir()) == []
