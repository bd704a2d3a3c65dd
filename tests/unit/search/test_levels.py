"""Levels: a few values in place of a whole range."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.space import Categorical, FloatRange, IntRange, Parameter, Scalar
from service.search.levels import level, most_levels
from tests.contracts.spaces import float_ranges, int_ranges


def levels(parameter: Parameter, count: int) -> list[Scalar]:
    return [level(parameter, count, index) for index in range(count)]


def test_levels_are_even_on_a_linear_scale() -> None:
    assert levels(FloatRange(low=0, high=1), 5) == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_levels_are_even_in_decades_on_a_log_scale_and_meet_both_ends() -> None:
    values = levels(FloatRange(low=1e-6, high=1e-2, scale="log"), 5)
    assert values == pytest.approx([1e-6, 1e-5, 1e-4, 1e-3, 1e-2])
    assert (values[0], values[-1]) == (1e-6, 1e-2)


def test_a_single_level_is_the_middle_of_the_scale() -> None:
    assert levels(FloatRange(low=0, high=1), 1) == [0.5]
    assert levels(FloatRange(low=1e-6, high=1e-2, scale="log"), 1) == pytest.approx([1e-4])
    assert levels(IntRange(low=1, high=9), 1) == [5]
    assert levels(IntRange(low=1, high=100, scale="log"), 1) == [10]


def test_integers_on_a_log_scale_crowd_at_the_low_end_without_repeating() -> None:
    assert levels(IntRange(low=1, high=1000, scale="log"), 12) == [1, 2, 4, 7, 12, 23, 43, 81, 152, 285, 534, 1000]


def test_choices_are_their_own_levels() -> None:
    assert levels(Categorical(choices=["a", 1, True]), 3) == ["a", 1, True]


@given(st.one_of(int_ranges(), float_ranges()), st.integers(1, 60))
def test_levels_rise_stay_in_the_range_and_never_repeat(parameter: FloatRange | IntRange, count: int) -> None:
    values = levels(parameter, min(count, most_levels(parameter)))
    assert all(parameter.fault(value) is None for value in values)
    assert values == sorted(set(values))  # type: ignore[type-var]
    if len(values) > 1:
        last = parameter.high if parameter.count is None else parameter.value(parameter.count - 1)
        assert (values[0], values[-1]) == (parameter.low, last)


@given(int_ranges(widest=50))
def test_as_many_levels_as_values_are_all_values(parameter: IntRange) -> None:
    assert levels(parameter, parameter.count) == [parameter.value(index) for index in range(parameter.count)]


def test_a_range_of_two_neighbouring_floats_has_two_levels() -> None:
    assert most_levels(FloatRange(low=1.0, high=math.nextafter(1.0, 2.0))) == 2
