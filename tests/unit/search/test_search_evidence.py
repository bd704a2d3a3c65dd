"""What a model learns from finished trials."""

import numpy as np
import pytest

from service.domain.status import TrialStatus
from service.domain.trial import Goal
from service.search.evidence import MOST_KNOWN, Evidence
from tests.contracts.spaces import seen

FAILED = seen(99, {"x": 1.0}, None, TrialStatus.FAILED)


def test_failed_trials_score_below_the_worst_that_finished() -> None:
    history = [*(seen(n, {"x": n / 9}, n / 9) for n in range(8)), FAILED]
    for goal in Goal:
        scores = Evidence.of(history, goal).scores
        assert scores[8] < scores[:8].min()
        assert (scores.mean(), scores.std()) == (pytest.approx(0), pytest.approx(1))


def test_a_value_that_a_failed_trial_left_behind_counts_for_nothing() -> None:
    left = seen(8, {"x": 1.0}, 5.0, TrialStatus.FAILED)
    history = [seen(n, {"x": n / 9}, n / 9) for n in range(8)]
    assert Evidence.of([*history, left], Goal.MAXIMIZE).scores == pytest.approx(
        Evidence.of([*history, FAILED], Goal.MAXIMIZE).scores
    )


def test_pruned_trials_score_as_the_last_value_that_they_reported() -> None:
    history = [seen(0, {"x": 0.0}, 0.2), seen(1, {"x": 0.5}, 0.4, TrialStatus.PRUNED), seen(2, {"x": 1.0}, 0.6)]
    scores = Evidence.of(history, Goal.MAXIMIZE).scores
    assert scores[0] < scores[1] < scores[2]


def test_where_all_have_failed_nothing_is_known_of_any() -> None:
    evidence = Evidence.of([FAILED, FAILED], Goal.MAXIMIZE)
    assert evidence.nothing
    assert evidence.scores.tolist() == [0.0, 0.0]


def test_of_very_many_trials_the_best_and_the_latest_are_kept_and_some_of_all_times() -> None:
    history = [seen(n, {"x": n}, 1.0 if n == 3 else -abs(n - 700)) for n in range(5 * MOST_KNOWN)]
    kept = {params["x"] for params in Evidence.of(history, Goal.MAXIMIZE).most_telling().params}
    assert len(kept) == MOST_KNOWN
    assert kept >= {3, 699, 700, 701, 5 * MOST_KNOWN - 1}
    assert all(any(start <= n < start + 100 for n in kept) for start in range(0, 1_200, 100))


def test_few_trials_are_all_kept() -> None:
    evidence = Evidence.of([seen(n, {"x": n}, float(n)) for n in range(MOST_KNOWN)], Goal.MAXIMIZE)
    assert evidence.most_telling() is evidence


def test_what_came_later_is_added_at_the_end() -> None:
    history = [seen(n, {"x": n}, float(n)) for n in range(6)]
    early, late = Evidence.of(history[:4], Goal.MAXIMIZE), Evidence.of(history[4:], Goal.MAXIMIZE)
    assert (early + late).params == tuple(one.params for one in history)
    assert np.array_equal((early + late).values, np.arange(6.0))
