"""What studies and trials can be, and from what to what they may pass."""

from collections.abc import Mapping
from enum import StrEnum


class StudyStatus(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    STOPPED = "stopped"


class TrialStatus(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    COMPLETED = "completed"
    PRUNED = "pruned"
    FAILED = "failed"
    CANCELLED = "cancelled"


class FailureReason(StrEnum):
    ERROR = "error"
    DIVERGED = "diverged"
    LOST = "lost"
    TIMEOUT = "timeout"


class Purpose(StrEnum):
    SEARCH = "search"
    CONFIRMATION = "confirmation"
    FINAL_TEST = "final_test"


class AttemptEnd(StrEnum):
    """How one lease on a trial came to its end."""

    COMPLETED = "completed"
    PRUNED = "pruned"
    FAILED = "failed"
    CANCELLED = "cancelled"
    RELEASED = "released"
    LOST = "lost"


STUDY_TRANSITIONS: Mapping[StudyStatus, frozenset[StudyStatus]] = {
    StudyStatus.RUNNING: frozenset({StudyStatus.PAUSED, StudyStatus.COMPLETED, StudyStatus.STOPPED}),
    StudyStatus.PAUSED: frozenset({StudyStatus.RUNNING, StudyStatus.COMPLETED, StudyStatus.STOPPED}),
    StudyStatus.COMPLETED: frozenset({StudyStatus.RUNNING}),
    StudyStatus.STOPPED: frozenset(),
}

TRIAL_TRANSITIONS: Mapping[TrialStatus, frozenset[TrialStatus]] = {
    TrialStatus.WAITING: frozenset({TrialStatus.RUNNING, TrialStatus.CANCELLED}),
    TrialStatus.RUNNING: frozenset(
        {
            TrialStatus.WAITING,
            TrialStatus.COMPLETED,
            TrialStatus.PRUNED,
            TrialStatus.FAILED,
            TrialStatus.CANCELLED,
        }
    ),
    TrialStatus.COMPLETED: frozenset(),
    TrialStatus.PRUNED: frozenset(),
    TrialStatus.FAILED: frozenset({TrialStatus.WAITING}),
    TrialStatus.CANCELLED: frozenset({TrialStatus.WAITING}),
}

UNFINISHED = frozenset({TrialStatus.WAITING, TrialStatus.RUNNING})
FINISHED = (TrialStatus.COMPLETED, TrialStatus.PRUNED, TrialStatus.FAILED)
"""Ends from which something is learned; a cancelled trial tells nothing."""
