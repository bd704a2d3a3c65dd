"""Grids near the best of earlier trials: where they lie, how long each lasts, and what comes before."""

from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.space import Categorical, FloatRange, IntRange, Params, Space, key_of
from service.domain.status import TrialStatus
from service.domain.trial import Goal, Observation
from service.search.base import Answer, Question, is_instant
from service.search.grid import ALGORITHM, GridSettings
from service.search.near import Around
from service.search.random import ALGORITHM as RANDOM
from tests.contracts.spaces import finite_spaces, seen, spaces

UNIT = FloatRange(low=0.0, high=1.0)
SQUARE = Space({"x": UNIT, "y": UNIT})
AROUND = Around(random=10, every=25, top=4, margin=0.0)


def ask(
    space: Space,
    count: int,
    history: Sequence[Observation] = (),
    *,
    number: int | None = None,
    around: Around = AROUND,
    seed: int = 3,
) -> Answer:
    number = len(history) if number is None else number
    taken = frozenset(key_of(one.params) for one in history)
    question = Question(
        space=space, goal=Goal.MAXIMIZE, seed=seed, number=number, planned=100, history=tuple(history), taken=taken
    )
    return ALGORITHM.suggest(question, GridSettings(around=around), count)


def with_four_leaders() -> list[Observation]:
    """Ten trials, of which those that span the box from 0.2 to 0.4 in x and 0.6 to 0.8 in y are best."""
    leading = [{"x": 0.2, "y": 0.61}, {"x": 0.4, "y": 0.77}, {"x": 0.33, "y": 0.6}, {"x": 0.31, "y": 0.8}]
    others = [{"x": 0.9, "y": place / 10} for place in range(6)]
    return [seen(i, point, 2.0 - i / 10 if i < 4 else 0.0) for i, point in enumerate([*leading, *others])]


def corners(points: Sequence[Params]) -> tuple[float, ...]:
    return tuple(pick(float(point[name]) for point in points) for name in ("x", "y") for pick in (min, max))


def run(trials: int, around: Around, seed: int, at_once: int) -> list[Observation]:
    """A study whose value is best at 0.7, 0.4."""
    history: list[Observation] = []
    while len(history) < trials:
        for point in ask(SQUARE, at_once, history, around=around, seed=seed).points:
            value = -((float(point["x"]) - 0.7) ** 2) - (float(point["y"]) - 0.4) ** 2
            history.append(seen(len(history), point, value))
    return history


def test_the_first_points_are_those_of_random_search() -> None:
    question = Question(space=SQUARE, goal=Goal.MAXIMIZE, seed=3, number=0, planned=100)
    assert ask(SQUARE, 10).points == RANDOM.suggest(question, RANDOM.Settings(), 10).points


def test_then_a_whole_grid_is_laid_over_the_box_of_the_leaders() -> None:
    points = ask(SQUARE, 25, with_four_leaders()).points
    found = {(round(float(point["x"]), 9), round(float(point["y"]), 9)) for point in points}
    assert found == {(round(0.2 + i / 20, 9), round(0.6 + j / 20, 9)) for i, j in product(range(5), repeat=2)}


def test_a_margin_leaves_room_around_the_leaders_but_never_beyond_the_box() -> None:
    points = ask(SQUARE, 25, with_four_leaders(), around=AROUND.model_copy(update={"margin": 1.5})).points
    assert corners(points) == pytest.approx((0.0, 0.7, 0.3, 1.0))


def test_a_grid_stays_where_it_is_while_its_trials_finish_unless_one_of_them_is_the_best() -> None:
    history = with_four_leaders()
    ahead = ask(SQUARE, 25, history).points
    worse = [seen(10 + i, point, 1.65 - i / 100) for i, point in enumerate(ahead[:12])]
    assert ask(SQUARE, 13, history + worse).points == ahead[12:]
    best = [*worse[:-1], seen(21, ahead[11], 9.0)]
    assert corners(ask(SQUARE, 13, history + best).points) != corners(ahead)


def test_a_grid_that_is_used_up_is_followed_by_one_around_the_leaders_as_they_are_then() -> None:
    history = with_four_leaders()
    nearer = [{"x": 0.21 + i / 1000, "y": 0.61} for i in range(25)]
    history += [seen(10 + i, point, 1.99) for i, point in enumerate(nearer)]
    assert all(0.2 <= float(point["x"]) <= 0.212 and point["y"] == 0.61 for point in ask(SQUARE, 25, history).points)


def test_around_the_same_leaders_the_next_grid_is_a_finer_one() -> None:
    history = with_four_leaders()
    first = ask(SQUARE, 25, history).points
    history += [seen(10 + i, point, 0.0) for i, point in enumerate(first)]
    finer = ask(SQUARE, 25, history).points
    assert not {key_of(point) for point in first} & {key_of(point) for point in finer}
    assert all(0.2 <= float(point["x"]) <= 0.4 and 0.6 <= float(point["y"]) <= 0.8 for point in [*first, *finer])
    assert len(finer) == 25


def test_finished_trials_that_were_imported_are_as_good_as_random_ones() -> None:
    history = [*with_four_leaders(), *(seen(10 + i, {"x": 0.5, "y": 0.5 + i / 100}, 3.0 + i) for i in range(8))]
    points = ask(SQUARE, 20, history).points
    assert all(point["x"] == 0.5 and 0.54 <= float(point["y"]) <= 0.57 for point in points)


@pytest.mark.parametrize("status", [TrialStatus.FAILED, TrialStatus.PRUNED])
def test_without_a_completed_trial_it_goes_on_at_random(status: TrialStatus) -> None:
    history = [seen(i, {"x": i / 20, "y": 0.1}, None, status) for i in range(20)]
    question = Question(space=SQUARE, goal=Goal.MAXIMIZE, seed=3, number=20, planned=100)
    assert ask(SQUARE, 5, history).points == RANDOM.suggest(question, RANDOM.Settings(), 5).points


def test_leaders_outside_of_the_box_in_force_do_not_lead() -> None:
    narrowed = SQUARE.with_ranges({"x": FloatRange(low=0.5, high=1.0)})
    points = ask(narrowed, 25, with_four_leaders()).points
    assert all(point["x"] == 0.9 for point in points)


def test_choices_that_no_leader_made_are_left_out_and_what_none_used_keeps_its_range() -> None:
    momentum = FloatRange(low=0.0, high=0.9, when={"opt": ["momentum"]})
    space = Space(
        {"opt": Categorical(choices=["sgd", "adam", "momentum"]), "m": momentum, "n": IntRange(low=1, high=9)}
    )
    history = [seen(i, {"opt": "adam", "n": 2 + i % 2}, 1.0) for i in range(9)]
    history.append(seen(9, {"opt": "momentum", "m": 0.3, "n": 1}, 2.0))
    points = ask(space, 2, history, around=AROUND.model_copy(update={"top": 2})).points
    assert {point["opt"] for point in points} == {"adam", "momentum"}
    assert {point["n"] for point in points} == {1, 2}
    assert {point["m"] for point in points if "m" in point} == {0.3}
    points = ask(space, 3, history[:9], number=10, around=AROUND.model_copy(update={"margin": 0.5})).points
    assert [point for point in points if point["opt"] == "adam"][:2] == [{"opt": "adam", "n": n} for n in (1, 4)]


@given(spaces(), st.integers(0, 60), st.integers(1, 4))
def test_in_any_space_its_points_are_sound_and_new(space: Space, number: int, count: int) -> None:
    drawn = RANDOM.suggest(
        Question(space=space, goal=Goal.MAXIMIZE, seed=1, number=0, planned=1), RANDOM.Settings(), 12
    )
    history = [seen(i, point, i % 5) for i, point in enumerate(drawn.points)]
    points = ask(space, count, history, number=12 + number).points
    capacity = ALGORITHM.capacity(space, GridSettings(around=AROUND), 100)
    tried = {key_of(one.params) for one in history}
    assert all(space.faults(point) == [] for point in points)
    assert len(tried | {key_of(point) for point in points}) == len(tried) + len(points)
    assert len(points) == count or len(tried) + len(points) == capacity


@given(finite_spaces())
def test_a_space_that_can_be_counted_is_searched_to_its_last_point(space: Space) -> None:
    capacity = ALGORITHM.capacity(space, GridSettings(around=AROUND), 100)
    assert capacity is not None
    history = [seen(0, ask(space, 1).points[0], 1.0)]
    assert len(ask(space, capacity + 5, history, number=11).points) == capacity - 1


def test_it_comes_nearer_to_the_best_than_chance_does() -> None:
    def worst_distance(around: Around, at_once: int) -> float:
        return max(min(-(one.value or -9.0) for one in run(80, around, seed, at_once)) for seed in range(5))

    chance = worst_distance(Around(random=1_000), 16)
    assert max(worst_distance(Around(), at_once) for at_once in (1, 4, 16)) < chance / 10


def test_only_a_grid_around_leaders_looks_back_and_so_is_not_instant() -> None:
    assert is_instant(ALGORITHM, GridSettings())
    assert not is_instant(ALGORITHM, GridSettings(around=Around()))


def test_settings_that_contradict_each_other_are_faults() -> None:
    faults = dict(ALGORITHM.faults(SQUARE, GridSettings(levels=5, around=Around(random=4, top=5))))
    assert faults.keys() == {"levels", "around.top"}
    assert "random, 4" in faults["around.top"]
    assert ALGORITHM.faults(SQUARE, GridSettings(around=Around())) == []
