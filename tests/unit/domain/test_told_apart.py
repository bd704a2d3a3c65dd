"""Means, intervals and comparisons of trials that were trained again, against SciPy and by simulation."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from service.domain.confirmation import Repeats, Standing, holm, standings
from service.domain.student import quantile_95, two_sided_p
from service.domain.trial import Goal

UP, DOWN = Goal.MAXIMIZE, Goal.MINIMIZE


def repeats(trial: int, *values: float, step: float = 0.0, diverged: int = 0) -> Repeats:
    return Repeats(trial, dict(enumerate(values)), step, diverged)


def compared(*rows: Sequence[float], goal: Goal = UP, step: float = 0.0) -> list[Standing]:
    return standings([repeats(number, *row, step=step) for number, row in enumerate(rows)], goal)


@pytest.mark.parametrize("freedom", [*range(1, 12), 29, 30, 99, 100])
def test_students_t_is_that_of_scipy(freedom: int) -> None:
    assert quantile_95(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-12)
    for t in (0.0, 0.1, 1.0, -2.5, 10.0):
        assert two_sided_p(t, freedom) == pytest.approx(2 * stats.t.sf(abs(t), freedom), abs=1e-14)


def test_mean_interval_and_difference_are_those_of_scipy() -> None:
    first, second = [0.81, 0.85, 0.84, 0.80], [0.80, 0.82, 0.82, 0.79]
    winner, other = compared(second, first)
    assert (winner.trial, winner.rank, winner.difference, winner.leader) == (1, 1, None, True)
    known = stats.t.interval(0.95, 3, np.mean(first), stats.sem(first))
    assert winner.mean == pytest.approx(np.mean(first))
    assert winner.interval is not None
    assert (winner.interval.low, winner.interval.high) == pytest.approx(known)
    test = stats.ttest_rel(second, first)
    assert other.difference is not None
    assert other.difference.p == pytest.approx(test.pvalue)
    assert other.difference.interval is not None
    ends = test.confidence_interval()
    assert (other.difference.interval.low, other.difference.interval.high) == pytest.approx((ends.low, ends.high))
    assert other.leader == (test.pvalue > 0.05)


def test_the_same_difference_at_every_seed_tells_apart_what_the_seeds_alone_would_hide() -> None:
    seeds = np.array([0.0, 0.1, 0.2, 0.3, 0.4])
    better, worse = seeds + 0.05 + np.array([0, 1, 0, 1, 0]) / 1000, seeds
    assert stats.ttest_ind(better, worse).pvalue > 0.5
    assert [one.leader for one in compared(better, worse)] == [True, False]


def test_where_less_is_better_the_lowest_mean_wins() -> None:
    winner, other = compared([3.0, 3.1], [1.0, 1.1], goal=DOWN)
    assert (winner.trial, other.trial) == (1, 0)
    assert other.difference is not None
    assert other.difference.mean == pytest.approx(2.0)


def test_equal_means_rank_by_number() -> None:
    assert [one.trial for one in compared([0.5, 0.6], [0.6, 0.5])] == [0, 1]


def test_one_seed_tells_a_mean_and_nothing_else() -> None:
    winner, other = compared([0.9], [0.1])
    assert (winner.mean, winner.interval) == (0.9, None)
    assert other.difference is not None
    assert (other.difference.interval, other.difference.p, other.leader) == (None, None, True)


def test_what_never_varies_is_certain_where_nothing_rounds_it() -> None:
    winner, other, twin = compared([2.0] * 3, [1.0] * 3, [2.0] * 3)
    assert winner.interval is not None
    assert (winner.interval.low, winner.interval.high) == (2.0, 2.0)
    assert [one.trial for one in (winner, other, twin)] == [0, 2, 1]
    assert [one.leader for one in (winner, other, twin)] == [True, True, False]


def test_two_equal_differences_of_a_single_sample_tell_nothing_apart() -> None:
    winner, other = compared([0.81, 0.83], [0.80, 0.82], step=0.01)
    assert other.leader
    assert winner.interval is not None
    assert not compared([0.91] * 5, [0.80] * 5, step=0.01)[1].leader


def test_the_interval_of_an_accuracy_is_within_its_bounds() -> None:
    (only,) = compared([1.0, 0.98], step=0.01)
    assert only.interval is not None
    assert only.interval.high == 1.0
    (loss,) = compared([1.0, 0.98])
    assert loss.interval is not None
    assert loss.interval.high > 1.0


def test_only_seeds_that_both_have_are_compared() -> None:
    whole, part = Repeats(0, {1: 0.5, 2: 0.6, 3: 0.7}), Repeats(1, {2: 0.59, 3: 0.68, 4: 0.1})
    _, other = standings([whole, part], UP)
    assert other.difference is not None
    assert other.difference.mean == pytest.approx(-0.015)
    _, apart = standings([whole, Repeats(1, {9: 0.1, 8: 0.1})], UP)
    assert (apart.difference, apart.leader) == (None, True)


def test_a_trial_that_diverged_once_ranks_after_those_that_never_did() -> None:
    ranked = standings([repeats(0, 0.9, 0.9, diverged=1), repeats(1, 0.7, 0.7), repeats(2)], UP)
    assert [(one.trial, one.rank) for one in ranked] == [(1, 1), (0, 2), (2, None)]
    assert (ranked[2].mean, ranked[2].leader) == (None, False)


def test_nothing_stands_where_nothing_was_trained() -> None:
    assert standings([], UP) == []


def test_holms_correction_is_that_of_its_paper() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), max_size=8))
def test_a_corrected_p_is_no_smaller_and_keeps_its_order(chances: list[float]) -> None:
    corrected = holm(chances)
    assert all(1 >= after >= before for before, after in zip(chances, corrected, strict=True))
    by_size = sorted(range(len(chances)), key=chances.__getitem__)
    assert [corrected[i] for i in by_size] == sorted(corrected)


def test_of_trials_that_are_alike_some_are_told_apart_in_at_most_one_of_twenty_confirmations() -> None:
    rng, wrong, runs = np.random.default_rng(0), 0, 600
    for _ in range(runs):
        shared = rng.normal(0, 0.01, 5)
        wrong += any(not one.leader for one in compared(*(0.8 + shared + rng.normal(0, 0.02, (6, 5)))))
    assert wrong / runs < 0.05 + 2 * math.sqrt(0.05 * 0.95 / runs)
