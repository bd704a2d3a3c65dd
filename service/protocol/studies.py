"""Studies with where they stand."""

from datetime import datetime

from service.domain.status import StudyStatus
from service.protocol.base import Wire
from service.protocol.specs import StudySpec
from service.protocol.trials import TrialView


class Counts(Wire):
    waiting: int = 0
    running: int = 0
    completed: int = 0
    pruned: int = 0
    failed: int = 0
    cancelled: int = 0


class StudyView(StudySpec):
    """A study as submitted, with where it stands."""

    id: str
    status: StudyStatus
    counts: Counts
    best: TrialView | None
    round: int
    chain: list[int]
    """The rounds from the first to the one in force, each made from the one before it."""
    ended_by: str | None
    eta_seconds: float | None
    warnings: list[str]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class StudyPage(Wire):
    items: list[StudyView]
    next_cursor: str | None
