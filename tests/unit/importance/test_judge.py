"""Which parameters are said to matter: those that do, and no others; and no history that upsets it."""

import math
import subprocess
import sys
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from service.domain.space import Categorical, FloatRange, IntRange, Params, Scalar, Space
from service.domain.status import TrialStatus
from service.domain.trial import Goal, Observation
from service.importance.chance import corrected
from service.importance.judge import FEWEST, Importance, judge

UNIT = FloatRange(low=0.0, high=1.0)
Value = Callable[[Params, np.random.Generator], float]


def cube(names: str) -> Space:
    return Space(dict.fromkeys(names, UNIT))


def history(space: Space, count: int, value: Value, seed: int = 0) -> list[Observation]:
    random = np.random.default_rng(seed)
    points = [space.decode({name: random.random() for name in space.parameters}) for _ in range(count)]
    return [seen(number, params, value(params, random)) for number, params in enumerate(points)]


def seen(number: int, params: Params, value: float | None, status: TrialStatus = TrialStatus.COMPLETED) -> Observation:
    return Observation(number, params, status, value)


def climb(count: int, value: Value, names: str, seed: int) -> list[Observation]:
    """A search that learns: after ten random trials most lie around the best so far."""
    random = np.random.default_rng(seed)
    told: list[Observation] = []
    for number in range(count):
        best = max(told, key=lambda one: one.value or 0.0, default=None)
        params = {name: random.random() for name in names}
        if best is not None and number >= 10 and random.random() > 0.3:
            near = {name: float(best.params[name]) + 0.1 * random.standard_normal() for name in names}
            params = {name: min(max(place, 0.0), 1.0) for name, place in near.items()}
        told.append(seen(number, params, value(params, random)))
    return told


def said(space: Space, told: Sequence[Observation], seed: int = 0, goal: Goal = Goal.MAXIMIZE) -> Importance:
    importance = judge(space, told, goal, seed)
    for weight in importance.parameters.values():
        for number in (weight.importance, weight.alone, weight.p_value):
            assert number is None or 0 <= number <= 1
        assert weight.reason.endswith(".")
        assert weight.matters is weight.reason.startswith("It matters")
    return importance


def matter(importance: Importance) -> set[str]:
    return {name for name, weight in importance.parameters.items() if weight.matters}


def number(value: Scalar) -> float:
    assert isinstance(value, int | float)
    return float(value)


def noise(_: Params, random: np.random.Generator) -> float:
    return float(random.standard_normal())


def slope(params: Params, random: np.random.Generator) -> float:
    return 4 * number(params["a"]) + number(params["b"]) + 0.3 * noise(params, random)


def crossed(params: Params, random: np.random.Generator) -> float:
    return (number(params["a"]) - 0.5) * (number(params["b"]) - 0.5) + 0.03 * noise(params, random)


@pytest.mark.parametrize("count", [pytest.param(30, marks=pytest.mark.slow), 100])
def test_noise_is_rarely_taken_for_an_effect(count: int) -> None:
    studies = 60 if count == 30 else 25
    called = [
        bool(matter(said(cube("abc"), history(cube("abc"), count, noise, seed), seed))) for seed in range(studies)
    ]
    assert sum(called) <= 0.05 * studies


def test_a_search_that_learns_does_not_make_a_bystander_matter() -> None:
    called = [matter(said(cube("abcd"), climb(60, crossed, "abcd", seed), seed)) & {"c", "d"} for seed in range(25)]
    assert sum(map(bool, called)) <= 1


@pytest.mark.parametrize("count", [30, 100, 300])
def test_a_strong_effect_is_found_and_ranks_first(count: int) -> None:
    for seed in range(5):
        importance = said(cube("abc"), history(cube("abc"), count, slope, seed), seed)
        assert "a" in matter(importance)
        assert max(importance.parameters, key=lambda name: importance.parameters[name].importance or 0.0) == "a"


def test_what_matters_only_together_with_another_matters() -> None:
    importance = said(cube("abc"), history(cube("abc"), 150, crossed))
    assert matter(importance) == {"a", "b"}
    weight = importance.parameters["a"]
    assert weight.importance is not None
    assert weight.alone is not None
    assert weight.alone < weight.importance / 3
    assert "mostly together with others" in weight.reason


def test_too_few_trials_tell_nothing_and_say_so() -> None:
    for count in (0, 1, FEWEST - 1):
        importance = said(cube("ab"), history(cube("ab"), count, slope))
        assert importance.trials == count
        assert matter(importance) == set()
        for weight in importance.parameters.values():
            assert (weight.importance, weight.alone, weight.p_value) == (None, None, None)
            assert f"it takes {FEWEST} to judge" in weight.reason


def test_choices_and_counts_are_judged_like_ranges() -> None:
    space = Space({"c": Categorical(choices=["x", "y", True, 1]), "n": IntRange(low=1, high=4), "u": UNIT})

    def value(params: Params, random: np.random.Generator) -> float:
        return float(params["c"] is True) + 0.5 * (params["n"] == 2) + 0.2 * noise(params, random)

    assert matter(said(space, history(space, 120, value))) == {"c", "n"}


def test_a_conditional_parameter_is_judged_by_the_trials_that_use_it() -> None:
    space = Space(
        {
            "c": Categorical(choices=["x", "y"]),
            "used": FloatRange(low=1e-4, high=1.0, scale="log", when={"c": ["x"]}),
            "idle": FloatRange(low=0.0, high=1.0, when={"c": ["x"]}),
        }
    )

    def value(params: Params, random: np.random.Generator) -> float:
        return 2 + math.log10(number(params["used"])) + 0.3 * noise(params, random) if "used" in params else 1.0

    importance = said(space, history(space, 150, value))
    assert matter(importance) == {"c", "used"}
    uses = sum("used" in one.params for one in history(space, 150, value))
    assert f"the {uses} trials that used it" in importance.parameters["used"].reason


def test_a_conditional_parameter_that_few_trials_used_is_not_judged() -> None:
    space = Space({"c": Categorical(choices=["x", "y"]), "d": FloatRange(low=0.0, high=1.0, when={"c": ["x"]})})
    told = [seen(number, {"c": "y"}, float(number)) for number in range(30)]
    assert "0 trials used it" in said(space, told).parameters["d"].reason
    assert said(space, told).parameters["c"].matters is False


def test_failed_trials_count_as_the_worst_and_pruned_ones_at_their_last_value() -> None:
    space = cube("ab")
    told = history(space, 60, lambda params, random: number(params["a"]))
    ended = [
        seen(one.number, one.params, None, TrialStatus.FAILED)
        if number(one.params["a"]) < 0.3
        else seen(one.number, one.params, one.value, TrialStatus.PRUNED if one.number % 2 else TrialStatus.COMPLETED)
        for one in told
    ]
    importance = said(space, ended)
    assert (importance.trials, matter(importance)) == (60, {"a"})
    unreported = [seen(one.number, one.params, None, TrialStatus.PRUNED) for one in told]
    assert said(space, unreported).trials == 0
    assert said(space, [seen(one.number, one.params, None, TrialStatus.FAILED) for one in told]).trials == 0


VALUES: dict[str, Value] = {
    "all equal": lambda params, random: 0.5,
    "huge": lambda params, random: 1.7e308 * (-1) ** int(random.integers(2)),
    "tiny": lambda params, random: 5e-324 * float(random.integers(3)),
    "one diverged": lambda params, random: -1e300 if number(params["a"]) < 0.02 else number(params["a"]),
}


@pytest.mark.parametrize("name", VALUES)
def test_no_values_upset_it(name: str) -> None:
    for goal in Goal:
        importance = said(cube("ab"), history(cube("ab"), 60, VALUES[name]), goal=goal)
        assert matter(importance) == ({"a"} if name == "one diverged" else set())


def test_values_that_are_all_equal_are_told_as_that() -> None:
    weight = said(cube("a"), history(cube("a"), 30, VALUES["all equal"])).parameters["a"]
    assert (weight.importance, weight.alone, weight.p_value) == (0.0, 0.0, 1.0)
    assert "all 30 trials are equal" in weight.reason


def test_values_beyond_the_range_count_as_its_end() -> None:
    told = [
        seen(one.number, {"a": 1e308 * (number(one.params["a"]) - 0.5)}, one.value)
        for one in history(cube("a"), 40, lambda params, random: float(number(params["a"]) > 0.5))
    ]
    assert matter(said(cube("a"), told)) == {"a"}


def test_a_point_tried_again_and_again_tells_nothing() -> None:
    told = [seen(number, {"a": 0.5, "b": 0.25}, float(number)) for number in range(40)]
    assert matter(said(cube("ab"), told)) == set()


def test_the_same_history_has_the_same_answer_however_the_space_is_written() -> None:
    told = history(cube("abc"), 60, slope)
    once = said(cube("abc"), told)
    assert said(cube("cba"), list(reversed(told))).parameters == once.parameters
    assert said(cube("abc"), told, seed=1) != once


def test_many_trials_of_many_parameters_are_drawn_from() -> None:
    names = [f"p{place}" for place in range(150)]
    space = Space(dict.fromkeys(names, UNIT))
    importance = said(space, history(space, 400, lambda params, random: number(params["p7"])))
    assert importance.trials == 100
    assert matter(importance) == {"p7"}


def test_holms_correction_multiplies_the_smallest_most_and_keeps_the_order() -> None:
    assert corrected({"a": 0.03, "b": 0.01, "c": 0.04, "d": 0.9}) == pytest.approx(
        {"b": 0.04, "a": 0.09, "c": 0.09, "d": 0.9}
    )


def test_importing_it_does_not_import_the_forest() -> None:
    program = "import sys, service.importance.judge; print({'sklearn', 'scipy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
