"""The searches that ask samplers of Optuna: what they are told, and that it leads somewhere."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

import pytest

from service.domain.space import Categorical, FloatRange, IntRange, Params, Space, key_of
from service.domain.status import TrialStatus
from service.domain.trial import Goal, Observation
from service.search import find
from service.search.base import Algorithm, Question
from service.search.packages import lack
from service.search.random import ALGORITHM as RANDOM
from service.search.sampling import best_and_latest, quiet
from tests.contracts.spaces import seen

UNIT = FloatRange(low=0.0, high=1.0)
SQUARE = Space({"x": UNIT, "y": UNIT})
BEST = {"x": 0.7, "y": 0.3}
NAMES = ("tpe", "cmaes", "gp")


def of_name(name: str) -> Algorithm[Any]:
    algorithm = find(name)
    assert algorithm is not None
    return algorithm


LACKS = {name: lack(of_name(name)) for name in NAMES}
every_sampler = pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.skipif(bool(LACKS[name]), reason=LACKS[name] or "")) for name in NAMES],
)
quick_ones = pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.skipif(bool(LACKS[name]), reason=LACKS[name] or "")) for name in NAMES[:2]],
)
needs_optuna = pytest.mark.skipif(bool(LACKS["tpe"]), reason=LACKS["tpe"] or "")


def ask(name: str, space: Space, history: Sequence[Observation] = (), count: int = 1, **more: Any) -> list[Params]:
    algorithm = of_name(name)
    settings = algorithm.Settings(**more.pop("settings", {}))
    known = {
        "space": space,
        "goal": Goal.MAXIMIZE,
        "seed": 1,
        "number": len(history),
        "planned": 100,
        "history": tuple(history),
        "taken": frozenset(key_of(one.params) for one in history),
    }
    return list(algorithm.suggest(Question(**known | more), settings, count).points)


def drawn(space: Space, count: int, value: Callable[[Params], float]) -> list[Observation]:
    question = Question(space=space, goal=Goal.MAXIMIZE, seed=5, number=0, planned=1)
    points = RANDOM.suggest(question, RANDOM.Settings(), count).points
    return [seen(number, point, value(point)) for number, point in enumerate(points)]


def bowl(point: Params) -> float:
    return -sum((float(point[name]) - best) ** 2 for name, best in BEST.items())


def run(name: str, trials: int, seed: int, at_once: int) -> float:
    """How far from the best a study ends."""
    history: list[Observation] = []
    while len(history) < trials:
        points = ask(name, SQUARE, history, at_once, seed=seed)
        history += [seen(len(history) + place, point, bowl(point)) for place, point in enumerate(points)]
    return -max(one.value or -9.0 for one in history)


@quick_ones
@pytest.mark.parametrize("at_once", [2, 6])
def test_it_comes_nearer_to_the_best_than_chance_does(name: str, at_once: int) -> None:
    found = median(run(name, 60, seed, at_once) for seed in range(5))
    assert found < median(run("random", 60, seed, 60) for seed in range(5)) / 3


@pytest.mark.skipif(bool(LACKS["gp"]), reason=LACKS["gp"] or "")
def test_a_gaussian_process_needs_few_trials() -> None:
    assert run("gp", 16, 0, 2) < 1e-3


@every_sampler
def test_it_seeks_the_least_where_that_is_the_goal(name: str) -> None:
    history = drawn(SQUARE, 40, lambda point: -bowl(point))
    least = ask(name, SQUARE, history, 2, goal=Goal.MINIMIZE)
    turned = [seen(one.number, one.params, -(one.value or 0.0)) for one in history]
    assert least == ask(name, SQUARE, turned, 2, goal=Goal.MAXIMIZE)
    assert least != ask(name, SQUARE, history, 2, goal=Goal.MAXIMIZE)


@every_sampler
def test_trials_that_failed_or_lie_outside_of_the_box_are_nothing_to_it(name: str) -> None:
    history = drawn(SQUARE, 20, bowl)
    failed = seen(20, {"x": 0.5, "y": 0.5}, None, TrialStatus.FAILED)
    outside = seen(21, {"x": 0.5, "y": 7.0}, 99.0)
    told = ask(name, SQUARE, history, number=22)
    assert ask(name, SQUARE, [*history, failed, outside]) == told


@pytest.mark.parametrize("name", [pytest.param("tpe", marks=needs_optuna)])
def test_a_pruned_trial_counts_by_its_last_value(name: str) -> None:
    def asked(low: float) -> list[Params]:
        history = [
            seen(one.number, one.params, one.value if one.number % 2 else low * one.number, TrialStatus.PRUNED)
            for one in drawn(SQUARE, 30, bowl)
        ]
        return ask(name, SQUARE, history)

    assert asked(-1.0) != asked(1.0)


@every_sampler
def test_the_order_in_which_the_history_is_given_does_not_matter(name: str) -> None:
    history = drawn(SQUARE, 20, bowl)
    assert ask(name, SQUARE, history[::-1]) == ask(name, SQUARE, history)


@every_sampler
def test_what_is_pending_is_not_proposed_again(name: str) -> None:
    space = Space({"n": IntRange(low=1, high=12), "c": Categorical(choices=["a", "b"])})
    history = drawn(space, 12, lambda point: float(point["n"]))
    pending = tuple(ask(name, space, history, 2))
    tried = {key_of(point) for point in [*(one.params for one in history), *pending]}
    more = ask(name, space, history, 2, pending=pending, taken=frozenset(tried), number=14)
    assert len({key_of(point) for point in more} - tried) == 2


@pytest.mark.skipif(bool(LACKS["gp"]), reason=LACKS["gp"] or "")
def test_a_gaussian_process_keeps_away_from_what_runs() -> None:
    history = drawn(SQUARE, 15, bowl)
    (alone,) = ask("gp", SQUARE, history)
    (beside,) = ask("gp", SQUARE, history, pending=(alone,))
    assert max(abs(float(alone[name]) - float(beside[name])) for name in "xy") > 0.01


@needs_optuna
def test_tpe_learns_which_branch_of_a_condition_is_good() -> None:
    space = Space(
        {
            "opt": Categorical(choices=["sgd", "adam", "momentum"]),
            "m": FloatRange(low=0.0, high=1.0, when={"opt": ["momentum"]}),
        }
    )
    history = drawn(space, 40, lambda point: 1.0 - abs(float(point["m"]) - 0.9) if "m" in point else 0.0)
    asked = [ask("tpe", space, history, seed=seed)[0] for seed in range(20)]
    near = [point for point in asked if float(point.get("m", 0.0)) > 0.7]
    assert len(near) >= 15


@pytest.mark.skipif(bool(LACKS["cmaes"]), reason=LACKS["cmaes"] or "")
def test_cmaes_evolves_from_generation_to_generation() -> None:
    def spread(history: Sequence[Observation]) -> float:
        points = [float(ask("cmaes", SQUARE, history, seed=seed)[0]["x"]) for seed in range(12)]
        return max(points) - min(points)

    history: list[Observation] = []
    while len(history) < 90:
        points = ask("cmaes", SQUARE, history, 6)
        history += [seen(len(history) + place, point, bowl(point)) for place, point in enumerate(points)]
    assert spread(history) < spread(history[:2]) / 4


@pytest.mark.skipif(bool(LACKS["cmaes"]), reason=LACKS["cmaes"] or "")
def test_cmaes_forgets_whole_generations_of_the_oldest_trials_when_they_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    history = drawn(SQUARE, 26, bowl)
    latest = [replace(one, number=one.number + 100) for one in history[12:]]
    told = ask("cmaes", SQUARE, latest, number=26)
    assert ask("cmaes", SQUARE, history) != told
    monkeypatch.setattr("service.search.cmaes.MOST_TOLD", 17)
    assert ask("cmaes", SQUARE, history) == told


@pytest.mark.skipif(bool(LACKS["cmaes"]), reason=LACKS["cmaes"] or "")
@pytest.mark.parametrize("settings", [{"popsize": 8}, {"use_separable_cma": True}, {"lr_adapt": True}])
def test_cmaes_takes_its_settings(settings: dict[str, Any]) -> None:
    history = drawn(SQUARE, 30, bowl)
    assert ask("cmaes", SQUARE, history, settings=settings) != ask("cmaes", SQUARE, history)
    mixed = Space({"c": Categorical(choices=["a", "b", "c"]), "x": UNIT})
    history = drawn(mixed, 30, lambda point: float(point["x"]) + (point["c"] == "b"))
    assert len(ask("cmaes", mixed, history, 3, settings=settings | {"independent_sampler": "random"})) == 3


def test_cmaes_says_what_it_cannot_do() -> None:
    cmaes = of_name("cmaes")
    assert cmaes.faults(SQUARE, cmaes.Settings()) == []
    ((place, sentence),) = cmaes.faults(Space({"c": Categorical(choices=["a", "b"])}), cmaes.Settings())
    assert place == ""
    assert "use tpe" in sentence
    ((place, _),) = cmaes.faults(SQUARE, cmaes.Settings(use_separable_cma=True, lr_adapt=True))
    assert place == "lr_adapt"


def test_of_too_many_trials_the_best_and_the_latest_are_kept_in_order() -> None:
    history = [seen(number, {"x": 0.5}, float(number == 3)) for number in range(10)]
    assert [one.number for one in best_and_latest(history, Goal.MAXIMIZE, 4)] == [0, 3, 8, 9]
    assert best_and_latest(history, Goal.MAXIMIZE, 10) == history


@needs_optuna
def test_optuna_is_silenced_only_while_it_is_asked() -> None:
    from optuna import logging
    from optuna.exceptions import ExperimentalWarning

    before = logging.get_verbosity()
    with quiet():
        warnings.warn("new", ExperimentalWarning, stacklevel=1)
        assert logging.get_verbosity() == logging.ERROR
    assert logging.get_verbosity() == before
    with pytest.warns(ExperimentalWarning):
        warnings.warn("new", ExperimentalWarning, stacklevel=1)
