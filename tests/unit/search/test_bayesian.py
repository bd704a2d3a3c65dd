"""Bayesian search: what it learns from, what it must never do, and that it pays."""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Any

import pytest

from service.domain.space import Categorical, FloatRange, IntRange, Params, Space, key_of
from service.domain.status import TrialStatus
from service.domain.trial import Goal, Observation
from service.search import find
from service.search.base import Answer, Question
from service.search.bayesian import ALGORITHM, BayesianSettings
from service.search.gaussian import _fitted
from service.search.likelihood import likeliest
from service.search.model import Model, last_fit
from tests.contracts.spaces import seen

SPACE = Space(
    {
        "lr": FloatRange(low=1e-6, high=1e-2, scale="log"),
        "wd": FloatRange(low=1e-8, high=1e-4, scale="log"),
    }
)
UNIT = Space({"x": FloatRange(low=0, high=1)})
KINDS = Space({"kind": Categorical(choices=["a", "b"]), "x": FloatRange(low=0, high=1)})
AT_ONCE = BayesianSettings(initial=1)


def accuracy(params: Params) -> float:
    """A smooth hill whose top, 1, lies at lr 1e-3 and wd 1e-7."""
    return math.exp(-0.4 * (math.log10(params["lr"]) + 3) ** 2 - 0.1 * (math.log10(params["wd"]) + 7) ** 2)


def question(history: Sequence[Observation], space: Space = UNIT, **more: Any) -> Question:
    taken = frozenset(key_of(one.params) for one in history)
    defaults = {"goal": Goal.MAXIMIZE, "seed": 1, "number": len(history), "planned": 100, "taken": taken}
    return Question(space=space, history=tuple(history), **defaults | more)


def ask(
    history: Sequence[Observation],
    settings: BayesianSettings = AT_ONCE,
    count: int = 1,
    space: Space = UNIT,
    **more: Any,
) -> Answer:
    return ALGORITHM.suggest(question(history, space, **more), settings, count)


def hill(top: float, count: int = 9) -> list[Observation]:
    places = [index / (count - 1) for index in range(count)]
    return [seen(number, {"x": x}, -((x - top) ** 2)) for number, x in enumerate(places)]


def searched(seed: int, trials: int, settings: BayesianSettings) -> float:
    history: list[Observation] = []
    for number in range(trials):
        (point,) = ask(history, settings, space=SPACE, seed=seed).points
        history.append(seen(number, point, accuracy(point)))
    return max(one.value or 0.0 for one in history)


def test_in_thirty_trials_it_beats_random_search() -> None:
    drawn = find("random")
    assert drawn is not None
    best_drawn, best_modelled = [], []
    for seed in range(10):
        asked = Question(space=SPACE, goal=Goal.MAXIMIZE, seed=seed, number=0, planned=30)
        best_drawn.append(max(map(accuracy, drawn.suggest(asked, drawn.Settings(), 30).points)))
        best_modelled.append(searched(seed, 30, BayesianSettings(candidates=200)))
    assert 1 - median(best_modelled) < (1 - median(best_drawn)) / 5


@pytest.mark.parametrize("acquisition", ["EI", "PI", "LCB"])
def test_every_acquisition_goes_where_the_hill_is(acquisition: Any) -> None:
    (point,) = ask(hill(0.3), BayesianSettings(initial=1, acquisition=acquisition)).points
    assert point["x"] == pytest.approx(0.3, abs=0.15)


def test_minimizing_goes_the_other_way() -> None:
    valley = [Observation(one.number, one.params, one.status, -one.value) for one in hill(0.7) if one.value is not None]
    (point,) = ask(valley, goal=Goal.MINIMIZE).points
    assert point["x"] == pytest.approx(0.7, abs=0.15)


def test_the_first_points_are_those_of_sobol_search() -> None:
    spread = find("sobol")
    assert spread is not None
    asked = Question(space=SPACE, goal=Goal.MAXIMIZE, seed=1, number=0, planned=30)
    first = ask([], BayesianSettings(initial=5), count=5, space=SPACE)
    assert first.points == spread.suggest(asked, spread.Settings(), 5).points


def test_while_nothing_has_finished_it_goes_on_with_the_first_points() -> None:
    spread = find("sobol")
    assert spread is not None
    failed = [seen(n, {"lr": 1e-3, "wd": 10.0**-n}, None, TrialStatus.FAILED) for n in range(4, 8)]
    asked = Question(space=SPACE, goal=Goal.MAXIMIZE, seed=1, number=4, planned=30)
    assert ask(failed, space=SPACE, count=3).points == spread.suggest(asked, spread.Settings(), 3).points


def test_points_of_one_answer_keep_apart() -> None:
    xs = sorted(point["x"] for point in ask(hill(0.5, 5), count=4).points)
    assert all(right - left > 0.01 for left, right in pairwise(xs))  # type: ignore[operator]


def test_what_is_pending_is_not_suggested_again() -> None:
    history = hill(0.5, 5)
    (alone,) = ask(history).points
    (beside,) = ask(history, pending=(alone,)).points
    assert abs(float(beside["x"]) - float(alone["x"])) > 0.01


def test_failed_trials_keep_it_away() -> None:
    failed = [seen(20 + number, {"x": 0.6 + number / 20}, None, TrialStatus.FAILED) for number in range(9)]
    history = [seen(0, {"x": 0.1}, 0.5), seen(1, {"x": 0.3}, 0.6), seen(2, {"x": 0.5}, 0.7), *failed]
    assert all(float(point["x"]) < 0.6 for point in ask(history, count=3).points)


@pytest.mark.parametrize("value", [0.0, 1.7e308, -1.7e308, 5e-324])
def test_a_single_observation_of_any_size_is_enough_to_go_on(value: float) -> None:
    assert len(ask([seen(0, {"x": 0.5}, value)], count=3).points) == 3


def test_a_small_space_is_searched_to_the_end_without_a_repeat() -> None:
    space = Space({"n": IntRange(low=1, high=5), "act": Categorical(choices=["relu", "tanh"])})
    history: list[Observation] = []
    for number in range(10):
        (point,) = ask(history, space=space).points
        history.append(seen(number, point, float(point["n"])))
    assert len({key_of(one.params) for one in history}) == 10
    assert ask(history, space=space, count=2).points == ()


def test_in_a_large_countable_space_the_points_that_are_left_are_found() -> None:
    space = Space({"n": IntRange(low=1, high=3000)})
    history = [seen(n, {"n": n}, float(n)) for n in range(1, 51)]
    taken = frozenset(key_of({"n": n}) for n in range(1, 3001) if n != 1234)
    assert ask(history, space=space, taken=taken, count=2).points == ({"n": 1234},)


def test_a_fit_sees_every_result_at_first_and_then_waits_for_more_and_more() -> None:
    fits = sorted({last_fit(finished) for finished in range(1, 2_001)})
    assert fits[:16] == list(range(1, 17))
    steps = [after - before for before, after in pairwise(fits)]
    assert steps == sorted(steps)
    assert steps[-1] == 64


def test_between_fits_lengths_stay_and_what_has_finished_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted: list[int] = []

    def counted(columns: Any, groups: Any, scores: Any) -> Any:
        fitted.append(len(columns))
        return likeliest(columns, groups, scores)

    monkeypatch.setattr("service.search.gaussian.likeliest", counted)
    history = hill(0.31, 40)
    models = [Model.of(question(history[:count])) for count in (33, 34, 35)]
    assert fitted == [33]
    assert [len(model.process.known) for model in models] == [33, 34, 35]


def test_a_process_that_fitted_nothing_before_answers_as_one_that_has() -> None:
    history = hill(0.31, 35)
    warm = [ask(history[:count]).points for count in range(30, 36)]
    _fitted.cache_clear()
    assert ask(history).points == warm[-1]


def test_a_pruned_trial_is_learnt_from_as_a_finished_one_of_its_last_value() -> None:
    pruned = [Observation(one.number, one.params, TrialStatus.PRUNED, one.value) for one in hill(0.7)]
    assert ask(pruned).points == ask(hill(0.7)).points


def two_kinds(near_top: Sequence[float]) -> list[Observation]:
    """Of the first kind a top of 0 at 0.3 and points beside it, of the second two that are far behind."""
    tried = [("a", x) for x in (0.0, 0.25, 0.5, 0.75, 1.0, *near_top)] + [("b", 0.1), ("b", 0.9)]
    return [seen(n, {"kind": kind, "x": x}, -((x - 0.3) ** 2) - (kind == "b")) for n, (kind, x) in enumerate(tried)]


def test_where_little_is_left_to_gain_near_the_best_the_other_choice_has_the_turn() -> None:
    (point,) = ask(two_kinds([0.29, 0.3, 0.301, 0.31]), space=KINDS).points
    assert point["kind"] == "b"


def test_while_there_is_more_to_gain_near_the_best_it_stays_there() -> None:
    (point,) = ask(two_kinds([0.6, 0.7]), space=KINDS).points
    assert point["kind"] == "a"
    assert 0.25 < point["x"] < 0.5


def test_with_noise_the_best_is_where_it_is_expected_and_not_where_luck_was() -> None:
    lucky = seen(60, {"x": 0.9}, 1.2)
    history = [
        *(seen(n, {"x": n / 59}, math.exp(-20 * (n / 59 - 0.3) ** 2) + 0.2 * (-1) ** n) for n in range(60)),
        lucky,
    ]
    model = Model.of(question(history))
    assert model.tried.leaders[0][0] == pytest.approx(0.3, abs=0.1)
    assert model.best < max(model.scores)
