"""Grid search: which points, in which order, and how far."""

from collections import Counter
from collections.abc import Container
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.space import Categorical, FloatRange, IntRange, Parameter, Scalar, Space, key_of
from service.domain.trial import Goal
from service.search.base import Answer, Question
from service.search.grid import ALGORITHM, GridSettings

LR = FloatRange(low=1e-6, high=1e-2, scale="log")
DECAY = FloatRange(low=1e-8, high=1e-4, scale="log")
UNIT = FloatRange(low=0, high=1)
ACT = Categorical(choices=["relu", "tanh", "sigmoid"])
CONDITIONAL = Space(
    {
        "opt": Categorical(choices=["sgd", "momentum"]),
        "lr": LR,
        "m": FloatRange(low=0, high=1, when={"opt": ["momentum"]}),
    }
)


def ask(
    space: Space,
    count: int,
    planned: int = 100,
    levels: int | dict[str, int] | None = None,
    position: int = 0,
    taken: Container[str] = frozenset(),
) -> Answer:
    question = Question(
        space=space, goal=Goal.MAXIMIZE, seed=0, number=0, planned=planned, position=position, taken=taken
    )
    return ALGORITHM.suggest(question, GridSettings(levels=levels), count)


def values(answer: Answer, name: str) -> list[Scalar]:
    return sorted({point[name] for point in answer.points})  # type: ignore[type-var]


def test_given_levels_are_kept_for_every_parameter() -> None:
    answer = ask(Space({"lr": LR, "n": IntRange(low=1, high=3), "act": ACT}), 1000, levels=5)
    assert len(answer.points) == 5 * 3 * 3
    assert values(answer, "lr") == pytest.approx([1e-6, 1e-5, 1e-4, 1e-3, 1e-2])
    assert values(answer, "n") == [1, 2, 3]


def test_levels_left_open_are_spread_over_what_is_planned() -> None:
    answer = ask(Space({"lr": LR, "wd": DECAY, "act": ACT}), 60, planned=60, levels={"lr": 5})
    assert len(values(answer, "lr")) == 5
    assert len(values(answer, "wd")) == 4


def test_a_square_budget_makes_a_square_grid() -> None:
    answer = ask(Space({"lr": LR, "wd": DECAY}), 100, planned=100)
    assert len(values(answer, "lr")) == len(values(answer, "wd")) == 10
    assert len({key_of(point) for point in answer.points}) == 100


def test_parameters_with_few_values_leave_the_budget_to_the_others() -> None:
    answer = ask(Space({"lr": LR, "n": IntRange(low=1, high=2)}), 100, planned=100)
    assert (len(values(answer, "lr")), len(values(answer, "n"))) == (50, 2)


def test_more_trials_than_were_planned_get_a_finer_grid() -> None:
    answer = ask(Space({"lr": LR}), 20, planned=5)
    assert len({key_of(point) for point in answer.points}) == 20


def test_a_space_that_can_be_counted_is_searched_to_its_last_point() -> None:
    space = Space({"n": IntRange(low=1, high=10), "m": IntRange(low=1, high=10)})
    assert len(ask(space, 1000, planned=60).points) == ALGORITHM.capacity(space, GridSettings(), 60) == 100


def test_given_levels_end_the_search_when_they_are_used_up() -> None:
    assert len(ask(Space({"lr": LR}), 10, planned=10, levels=4).points) == 4
    assert ALGORITHM.capacity(Space({"lr": LR}), GridSettings(levels=4), 10) == 4
    assert ALGORITHM.capacity(Space({"lr": LR}), GridSettings(), 10) is None


def test_the_cursor_goes_on_where_the_last_answer_ended() -> None:
    space = Space({"lr": LR, "wd": DECAY})
    first = ask(space, 7)
    rest = ask(space, 93, position=first.position)
    assert first.points + rest.points == ask(space, 100).points


def test_taken_points_are_passed_over() -> None:
    space = Space({"lr": LR, "wd": DECAY})
    everything = ask(space, 100)
    taken = {key_of(point) for point in everything.points[::2]}
    answer = ask(space, 50, taken=taken)
    assert answer.points == everything.points[1::2]
    assert answer.position == 100


def test_points_that_differ_in_what_is_not_active_are_one() -> None:
    answer = ask(CONDITIONAL, 1000, levels=4)
    assert len(answer.points) == 4 + 4 * 4
    assert ALGORITHM.capacity(CONDITIONAL, GridSettings(levels=4), 100) == 20


@st.composite
def boxes(draw: st.DrawFn) -> Space:
    kinds: list[Parameter] = [UNIT, LR, ACT, IntRange(low=0, high=draw(st.integers(1, 9)))]
    return Space({f"p{index}": draw(st.sampled_from(kinds)) for index in range(draw(st.integers(1, 5)))})


@given(boxes(), st.integers(1, 300))
def test_what_is_planned_leaves_no_side_of_the_box_empty(space: Space, planned: int) -> None:
    answer = ask(space, planned, planned)
    assert len(answer.points) == planned if space.count is None else min(planned, space.count)
    seen = {name: Counter(point[name] for point in answer.points) for name in space.parameters}
    assert prod(len(counts) for counts in seen.values()) >= min(len(answer.points), 2)
    for counts in seen.values():
        even = len(answer.points) / len(counts)
        assert all(even / 2 - 1 <= count <= even * 1.5 + 1 for count in counts.values())


@pytest.mark.parametrize("dimensions", [1, 2, 20])
def test_ten_million_planned_trials_are_no_burden(dimensions: int) -> None:
    space = Space({f"p{index}": LR for index in range(dimensions)})
    answer = ask(space, 5, planned=10_000_000, position=9_999_990)
    assert len({key_of(point) for point in answer.points}) == 5


def test_a_range_of_two_neighbouring_floats_ends_the_search() -> None:
    assert len(ask(Space({"x": FloatRange(low=1.0, high=1.0000000000000002)}), 10, planned=5).points) == 2


def test_levels_for_what_cannot_have_them_are_faults() -> None:
    settings = GridSettings(levels={"lr": 3, "momentum": 3, "act": 3})
    faults = dict(ALGORITHM.faults(Space({"lr": LR, "act": ACT}), settings))
    assert faults.keys() == {"levels.momentum", "levels.act"}
    assert "lr, act" in faults["levels.momentum"]
    assert "all its choices" in faults["levels.act"]
