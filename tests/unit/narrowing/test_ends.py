"""New ends for a range: parts of it, and how far it may be widened."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.space import FloatRange, IntRange, Limit, Numeric
from service.narrowing.ends import Side, between, widened


def ends(parameter: Numeric | None) -> tuple[float, float] | None:
    return None if parameter is None else (parameter.low, parameter.high)


def test_a_part_is_rounded_outwards_to_three_digits() -> None:
    assert ends(between(FloatRange(low=1e-6, high=1e-2, scale="log"), 0.333, 0.777)) == (2.14e-05, 0.00129)


def test_digits_are_those_that_matter_within_the_width() -> None:
    assert ends(between(FloatRange(low=100, high=100.01), 0.2525, 0.5)) == (100.0025, 100.005)


def test_counted_values_stay_on_their_lattice() -> None:
    assert ends(between(IntRange(low=1, high=20, step=3), 0.2, 0.6)) == (4, 13)
    assert ends(between(FloatRange(low=0, high=1, step=0.1), 0.35, 0.6)) == (0.3, 0.6)


@given(st.floats(0, 1), st.floats(0, 1), st.sampled_from(["linear", "log"]))
def test_a_part_holds_all_that_was_asked_for(first: float, last: float, scale: str) -> None:
    start, end = sorted((first, last))
    for parameter in (FloatRange(low=0.003, high=7, scale=scale), IntRange(low=1, high=90, scale=scale)):
        part = between(parameter, start, end)
        assert parameter.low <= part.low <= parameter.from_unit(start)
        assert parameter.from_unit(end) <= part.high <= parameter.high


@pytest.mark.parametrize(
    ("parameter", "side", "expected"),
    [
        (FloatRange(low=1e-6, high=1e-2, scale="log"), "high", (1e-6, 1.0)),
        (FloatRange(low=1e-6, high=1e-2, scale="log"), "low", (1e-8, 1e-2)),
        (FloatRange(low=1e-3, high=1e-2, scale="log"), "high", (1e-3, 0.03162)),
        (FloatRange(low=-2, high=2), "low", (-4, 2)),
        (FloatRange(low=0.1, high=0.5), "low", (0, 0.5)),
        (FloatRange(low=0.1, high=0.5, limit=Limit(low=-1)), "low", (-0.1, 0.5)),
        (FloatRange(low=0, high=1), "low", None),
        (FloatRange(low=0, high=1, limit=Limit(high=1.2)), "high", (0, 1.2)),
        (FloatRange(low=0, high=1, limit=Limit(high=1)), "high", None),
        (FloatRange(low=0, high=1, step=0.4), "high", (0, 1.2)),
        (IntRange(low=1, high=2), "high", (1, 3)),
        (IntRange(low=1, high=8), "low", None),
        (IntRange(low=16, high=256, scale="log", step=16), "high", (16, 1024)),
        (IntRange(low=3, high=3), "high", None),
        (IntRange(low=0, high=2**53), "high", None),
        (FloatRange(low=1e-300, high=1e308, scale="log"), "high", None),
    ],
)
def test_widening_goes_out_by_half_the_width_as_far_as_it_may(
    parameter: Numeric, side: Side, expected: tuple[float, float] | None
) -> None:
    found = ends(widened(parameter, side))
    assert found == expected if expected is None else found == pytest.approx(expected)
