"""What happened in a unit of work, for those who count it once it is committed."""

from dataclasses import dataclass
from enum import StrEnum

from service.domain.status import FailureReason


class Happening(StrEnum):
    TRIAL_CLAIMED = "trial_claimed"
    REPORTED = "reported"
    EPOCHS_ADDED = "epochs_added"
    COMPLETED = "completed"
    PRUNED = "pruned"
    FAILED = "failed"
    CANCELLED = "cancelled"
    RELEASED = "released"
    LEASE_TAKEN_BACK = "lease_taken_back"
    LEASE_LOST = "lease_lost"
    TRIED_AGAIN = "tried_again"
    REPLAYED = "replayed"


@dataclass(frozen=True, slots=True)
class Fact:
    """So many times the same thing."""

    happening: Happening
    count: int = 1
    reason: FailureReason | None = None
