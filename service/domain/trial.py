"""One set of values, the lease under which it runs, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.domain.space import Params, Scalar
from service.domain.status import FailureReason, Purpose, TrialStatus


class Goal(StrEnum):
    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"

    def better(self, value: float) -> float:
        """The value as a number of which more is better."""
        return value if self is Goal.MAXIMIZE else -value


class Origin(StrEnum):
    SUGGESTED = "suggested"
    ENQUEUED = "enqueued"
    IMPORTED = "imported"


@dataclass(frozen=True, slots=True)
class Observation:
    """What a search or a narrowing may know of a finished trial."""

    number: int
    params: Params
    status: TrialStatus
    value: float | None = None
    samples: int | None = None
    round: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A trial as it stands."""

    id: int
    study_id: str
    study_name: str
    number: int
    status: TrialStatus
    purpose: Purpose
    params: Mapping[str, Scalar]
    value: float | None
    samples: int | None
    round: int
    attempt: int
    attempts_allowed: int
    leases: int
    """How many leases were given on it, whether they counted as attempts or not."""
    seed: int
    origin: Origin
    worker: str | None
    failure_reason: FailureReason | None
    failure_message: str | None
    provenance: Mapping[str, object] | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    finished_event: int | None
    """The number of its end among the events of its study, which tells what was known when."""
    lease_token: str | None
    lease_expires_at: datetime | None
    stop_reason: str | None
    stale: bool
    """Made for a round that is no longer in force: to be made anew before it is given out."""
    source: int | None = None
    """The number of the search trial that is trained again; None for a search trial itself."""
    split: int | None = None
    """The seed of a fresh split; None for the study's own."""
