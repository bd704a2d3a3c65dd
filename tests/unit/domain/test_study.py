"""A study: how much room its budget has, when it is over, how long the rest takes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.domain.space import FloatRange, Space
from service.domain.status import StudyStatus, TrialStatus
from service.domain.study import Budget, Metric, Objective, Retry, Search, Spec, Study
from service.domain.trial import Goal

START = datetime(2026, 1, 1, tzinfo=UTC)


def study(budget: Budget, goal: Goal = Goal.MAXIMIZE, **changes: Any) -> Study:
    spec = Spec(
        name="study",
        objective=Objective(name="bowl"),
        metric=Metric(name="score", goal=goal),
        space=Space({"x": FloatRange(low=0, high=1)}),
        search=Search(algorithm="random", seed=0),
        budget=budget,
        narrowing=None,
        pruning=None,
        retry=Retry(max_attempts=3),
        lease_seconds=30,
        max_parallel=None,
    )
    fresh = Study(
        id="id",
        spec=spec,
        submitted="{}",
        status=StudyStatus.RUNNING,
        round=0,
        next_number=0,
        budgeted=0,
        epochs=0,
        last_event=0,
        ended_by=None,
        counts={},
        created_at=START,
        started_at=START,
        finished_at=None,
    )
    return replace(fresh, **changes)


@pytest.mark.parametrize(("budgeted", "room"), [(0, 5), (4, 1), (5, 0), (9, 0)])
def test_room_is_what_the_budget_leaves_and_never_negative(budgeted: int, room: int) -> None:
    assert study(Budget(trials=5), budgeted=budgeted).room == room


def test_a_budget_that_counts_no_trials_has_room_without_end() -> None:
    assert study(Budget(seconds=1)).room is None
    assert study(Budget(seconds=1)).draws


def test_only_a_running_study_with_room_and_no_end_draws() -> None:
    assert study(Budget(trials=5)).draws
    assert not study(Budget(trials=5), budgeted=5).draws
    assert not study(Budget(trials=5), ended_by="target").draws
    assert not study(Budget(trials=5), status=StudyStatus.PAUSED).draws


@pytest.mark.parametrize(
    ("budget", "changes", "seconds", "bound"),
    [
        (Budget(trials=5), {"budgeted": 4}, 0, None),
        (Budget(trials=5), {"budgeted": 5}, 0, "trials"),
        (Budget(epochs=10), {"epochs": 9}, 0, None),
        (Budget(epochs=10), {"epochs": 12}, 0, "epochs"),
        (Budget(seconds=60), {}, 59, None),
        (Budget(seconds=60), {}, 60, "seconds"),
        (Budget(seconds=60), {"started_at": None}, 600, None),
        (Budget(target=1.0), {}, 600, None),
    ],
)
def test_a_bound_is_reached(budget: Budget, changes: dict[str, Any], seconds: float, bound: str | None) -> None:
    assert study(budget, **changes).reached(START + timedelta(seconds=seconds)) == bound


@pytest.mark.parametrize(
    ("goal", "value", "met"),
    [
        (Goal.MAXIMIZE, 0.9, True),
        (Goal.MAXIMIZE, 0.8, False),
        (Goal.MINIMIZE, 0.9, True),
        (Goal.MINIMIZE, 1.0, False),
    ],
)
def test_a_target_is_met_by_values_as_good(goal: Goal, value: float, met: bool) -> None:
    assert study(Budget(target=0.9), goal).meets_target(value) is met
    assert not study(Budget(trials=1), goal).meets_target(value)


def test_the_rest_takes_as_long_as_the_pace_so_far_says() -> None:
    counts = {TrialStatus.RUNNING: 2, TrialStatus.COMPLETED: 4}
    busy = study(Budget(trials=10), budgeted=6, counts=counts)
    assert busy.unfinished == 2
    assert busy.eta_seconds(START + timedelta(seconds=40)) == 60
    for silent in (
        replace(busy, status=StudyStatus.PAUSED),
        replace(busy, started_at=None),
        replace(busy, counts={TrialStatus.RUNNING: 6}),
        study(Budget(seconds=5), budgeted=6, counts=counts),
    ):
        assert silent.eta_seconds(START) is None


def test_a_study_goes_by_the_name_it_was_given() -> None:
    assert study(Budget(trials=1)).name == "study"
