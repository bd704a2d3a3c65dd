"""Bayesian search: what it learns from, what it must never do, and that it pays."""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Any

import numpy as np
import pytest

from service.domain.space import Categorical, FloatRange, IntRange, Params, Space, key_of
from service.domain.status import TrialStatus
from service.domain.trial import Goal, Observation
from service.search import find
from service.search.base import Answer, Question
from service.search.bayesian import ALGORITHM, BayesianSettings
from service.search.evidence import MOST_KNOWN, Evidence
from service.search.features import Features
from service.search.gaussian import Process, promise
from tests.contracts.spaces import seen

SPACE = Space(
    {
        "lr": FloatRange(low=1e-6, high=1e-2, scale="log"),
        "wd": FloatRange(low=1e-8, high=1e-4, scale="log"),
    }
)
UNIT = Space({"x": FloatRange(low=0, high=1)})
AT_ONCE = BayesianSettings(initial=1)


def accuracy(params: Params) -> float:
    """A smooth hill whose top, 1, lies at lr 1e-3 and wd 1e-7."""
    return math.exp(-0.4 * (math.log10(params["lr"]) + 3) ** 2 - 0.1 * (math.log10(params["wd"]) + 7) ** 2)


def ask(
    history: Sequence[Observation],
    settings: BayesianSettings = AT_ONCE,
    count: int = 1,
    space: Space = UNIT,
    **more: Any,
) -> Answer:
    taken = frozenset(key_of(one.params) for one in history)
    defaults = {"goal": Goal.MAXIMIZE, "seed": 1, "number": len(history), "planned": 100, "taken": taken}
    return ALGORITHM.suggest(Question(space=space, history=tuple(history), **defaults | more), settings, count)


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
        question = Question(space=SPACE, goal=Goal.MAXIMIZE, seed=seed, number=0, planned=30)
        best_drawn.append(max(map(accuracy, drawn.suggest(question, drawn.Settings(), 30).points)))
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


def test_the_first_points_are_those_of_random_search() -> None:
    drawn = find("random")
    assert drawn is not None
    question = Question(space=SPACE, goal=Goal.MAXIMIZE, seed=1, number=0, planned=30)
    first = ask([], BayesianSettings(initial=5), count=5, space=SPACE)
    assert first.points == drawn.suggest(question, drawn.Settings(), 5).points


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


def test_scores_have_mean_zero_and_deviation_one_and_failures_score_as_the_worst() -> None:
    history = [*(seen(n, {"x": n / 9}, n / 9) for n in range(8)), seen(8, {"x": 1.0}, None, TrialStatus.FAILED)]
    scores = np.array(Evidence.of(history, Goal.MAXIMIZE).scores)
    assert (scores.mean(), scores.std()) == (pytest.approx(0), pytest.approx(1))
    assert min(scores) == scores[0] == scores[8]


def test_one_diverged_loss_does_not_flatten_the_others() -> None:
    history = [*(seen(n, {"x": n / 9}, n / 9) for n in range(8)), seen(8, {"x": 1.0}, -1e300)]
    scores = Evidence.of(history, Goal.MAXIMIZE).scores
    assert max(scores) - sorted(scores)[1] > 0.5


def test_of_very_many_trials_the_best_and_the_latest_are_kept() -> None:
    history = [seen(n, {"x": 0.5}, 1.0 if n == 3 else 0.0) for n in range(5 * MOST_KNOWN)]
    evidence = Evidence.of(history, Goal.MAXIMIZE)
    assert len(evidence.params) == MOST_KNOWN
    assert evidence.params[0] is history[3].params
    assert evidence.params[-1] is history[-1].params


def test_choices_become_columns_one_unit_apart() -> None:
    space = Space({"act": Categorical(choices=["relu", True, 1])})
    features = Features.spanning(space, [{"act": "an older choice"}])
    rows = features.rows([{"act": "relu"}, {"act": True}, {"act": 1}, {"act": "an older choice"}, {}])
    assert rows.shape == (5, 4)
    assert np.linalg.norm(rows[1] - rows[2]) == pytest.approx(1)
    assert np.linalg.norm(rows[:4] - rows[4], axis=1) == pytest.approx([np.linalg.norm(rows[0] - rows[4])] * 4)


def test_the_process_meets_what_it_has_seen_and_doubts_what_it_has_not() -> None:
    points = np.linspace(0, 0.5, 6)[:, None]
    values = np.sin(6 * points[:, 0])
    process = Process.fitted(points, (values - values.mean()) / values.std())
    mean, deviation = process.predict(np.array([[0.1], [1.0]]))
    assert mean[0] * values.std() + values.mean() == pytest.approx(math.sin(0.6), abs=0.05)
    assert deviation[1] > 5 * deviation[0]


def test_expected_improvement_is_that_of_the_normal_distribution() -> None:
    drawn = np.random.default_rng(0).normal(0.5, 2.0, 400_000)
    expected = np.maximum(drawn - 1.0 - 0.1, 0).mean()
    one = np.ones(1)
    assert promise("EI", 0.5 * one, 2.0 * one, 1.0, 0.1, 0.0)[0] == pytest.approx(expected, rel=0.02)
    assert promise("PI", 0.5 * one, 2.0 * one, 1.0, 0.1, 0.0)[0] == pytest.approx((drawn > 1.1).mean(), rel=0.02)
    assert promise("LCB", 0.5 * one, 2.0 * one, 1.0, 0.1, 1.5)[0] == pytest.approx(3.5)
