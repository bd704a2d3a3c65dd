"""Intervals, noise and leaders."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.ranking import MEDIAN_OF_SQUARE, Interval, estimated_noise, interval_of, leaders, wilson
from service.domain.space import FloatRange, Space
from service.domain.status import TrialStatus
from service.domain.trial import Goal, Observation

SPACE = Space({"x": FloatRange(low=0.0, high=1.0)})


def seen(
    number: int, value: float | None, samples: int | None = None, status: TrialStatus = TrialStatus.COMPLETED
) -> Observation:
    return Observation(number, {"x": (number % 50) / 50}, status, value, samples)


@pytest.mark.parametrize(
    ("value", "samples", "low", "high"),
    [
        # Newcombe 1998, table I, method 3.
        (81 / 263, 263, 0.2553, 0.3662),
        (15 / 148, 148, 0.0624, 0.1605),
        (0.0, 20, 0.0, 0.1611),
        (1 / 29, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval_is_that_of_the_literature(value: float, samples: int, low: float, high: float) -> None:
    found = wilson(value, samples)
    assert found.low == pytest.approx(low, abs=5e-5)
    assert found.high == pytest.approx(high, abs=5e-5)


@given(value=st.floats(0, 1), samples=st.integers(1, 10**9))
def test_an_interval_holds_its_value_and_stays_within_0_and_1(value: float, samples: int) -> None:
    found = wilson(value, samples)
    assert 0 <= found.low <= value + 1e-12
    assert value - 1e-12 <= found.high <= 1


@pytest.mark.parametrize(("value", "samples"), [(None, 100), (0.5, None), (1.5, 100), (-0.1, 100)])
def test_what_is_no_accuracy_over_known_samples_has_no_interval(value: float | None, samples: int | None) -> None:
    assert interval_of(value, samples) is None


def test_intervals_overlap_when_they_share_a_point() -> None:
    assert Interval(0.1, 0.2).overlaps(Interval(0.2, 0.3))
    assert not Interval(0.1, 0.2).overlaps(Interval(0.21, 0.3))


def test_leaders_are_those_whose_interval_overlaps_the_best_ones() -> None:
    ranked = [seen(0, 0.83, 100), seen(1, 0.80, 100), seen(2, 0.3, 100)]
    assert leaders(ranked, Goal.MAXIMIZE, None) == [True, True, False]


def test_without_intervals_leaders_are_those_within_the_noise() -> None:
    ranked = [seen(0, 1.0), seen(1, 0.9), seen(2, 0.5)]
    assert leaders(ranked, Goal.MAXIMIZE, 0.1) == [True, True, False]
    assert leaders(ranked, Goal.MAXIMIZE, None) == [True, False, False]


def test_leaders_of_a_loss_are_the_lowest() -> None:
    ranked = [seen(0, 0.1), seen(1, 0.2), seen(2, 5.0)]
    assert leaders(ranked, Goal.MINIMIZE, 0.1) == [True, True, False]


def test_equal_values_lead_together_and_what_was_pruned_does_not_lead_beside_what_was_not() -> None:
    ranked = [seen(0, 0.5), seen(1, 0.5), seen(2, 0.5, status=TrialStatus.PRUNED), seen(3, None)]
    assert leaders(ranked, Goal.MAXIMIZE, None) == [True, True, False, False]
    assert leaders([], Goal.MAXIMIZE, None) == []


def test_too_few_trials_tell_no_noise_and_a_constant_has_none() -> None:
    assert estimated_noise(SPACE, [seen(number, 0.5) for number in range(7)]) is None
    assert estimated_noise(SPACE, [seen(number, 0.5) for number in range(8)]) == 0


def test_noise_is_about_the_deviation_of_neighbours() -> None:
    chance = random.Random(0)
    noisy = [Observation(n, {"x": n / 400}, TrialStatus.COMPLETED, chance.gauss(0.5, 0.02)) for n in range(400)]
    assert estimated_noise(SPACE, noisy) == pytest.approx(0.02, rel=0.25)


def test_a_neighbour_is_the_first_of_those_that_are_nearest_and_never_the_trial_itself() -> None:
    twins = [0.5, 0.0, 1.0, 0.5, 0.0, 1.0, 0.25, 0.75]
    values = [0.1, 0.3, 10.0, 0.2, 0.5, 15.0, 2.1, 3.4]
    shown = [Observation(n, {"x": x}, TrialStatus.COMPLETED, values[n]) for n, x in enumerate(twins)]
    # To their twins 0.1, 0.2 and 5.0, each twice, and 2.0 and 3.3 from 0.25 and 0.75 to trial 0, the first as near.
    assert estimated_noise(SPACE, shown) == pytest.approx(2.0 / math.sqrt(2 * MEDIAN_OF_SQUARE))
