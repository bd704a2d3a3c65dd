"""The two state machines, pair by pair."""

from itertools import product

import pytest

from service.domain.status import (
    STUDY_TRANSITIONS,
    TRIAL_TRANSITIONS,
    UNFINISHED,
    StudyStatus,
    TrialStatus,
)

STUDY_EDGES = {
    ("running", "paused"),
    ("running", "completed"),
    ("running", "stopped"),
    ("paused", "running"),
    ("paused", "completed"),
    ("paused", "stopped"),
    ("completed", "running"),
}
TRIAL_EDGES = {
    ("waiting", "running"),
    ("waiting", "cancelled"),
    ("running", "waiting"),
    ("running", "completed"),
    ("running", "pruned"),
    ("running", "failed"),
    ("running", "cancelled"),
    ("failed", "waiting"),
    ("cancelled", "waiting"),
}


@pytest.mark.parametrize(("old", "new"), list(product(StudyStatus, StudyStatus)))
def test_a_study_passes_only_along_these_edges(old: StudyStatus, new: StudyStatus) -> None:
    assert (new in STUDY_TRANSITIONS[old]) == ((old.value, new.value) in STUDY_EDGES)


@pytest.mark.parametrize(("old", "new"), list(product(TrialStatus, TrialStatus)))
def test_a_trial_passes_only_along_these_edges(old: TrialStatus, new: TrialStatus) -> None:
    assert (new in TRIAL_TRANSITIONS[old]) == ((old.value, new.value) in TRIAL_EDGES)


def test_what_is_unfinished_waits_or_runs() -> None:
    assert {TrialStatus.WAITING, TrialStatus.RUNNING} == UNFINISHED
