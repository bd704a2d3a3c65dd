"""Trials: as anybody may see them, their curves, the best of them, and values given by hand."""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field, JsonValue, model_validator

from service.domain.space import FieldError
from service.domain.status import AttemptEnd, FailureReason, Purpose, TrialStatus
from service.protocol.base import LARGEST_SEED, MAX_PAGE, MOST_DAYS, Integer, Name, Number, Params, Wire


class Failure(Wire):
    reason: FailureReason
    message: str


class AttemptView(Wire):
    attempt: int
    worker: str
    started_at: datetime
    ended_at: datetime | None
    end: AttemptEnd | None
    message: str | None


class TrialView(Wire):
    id: int
    study: str
    study_name: str
    number: int
    status: TrialStatus
    purpose: Purpose
    params: Params
    value: float | None
    samples: int | None
    round: int
    attempt: int
    seed: int
    origin: Literal["suggested", "enqueued", "imported"]
    source: int | None = None
    """The number of the search trial that is trained again; null for a search trial itself."""
    worker: str | None
    failure: Failure | None
    stop_reason: str | None = None
    provenance: dict[str, JsonValue] | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class TrialDetail(TrialView):
    attempts: list[AttemptView]


class Replay(Wire):
    """The values of a trial beside those that the same question brings today."""

    study: str
    trial: int
    params: Params
    replayed: Params | None
    equal: bool
    provenance: dict[str, JsonValue]
    versions: dict[str, str]


class BestTrial(TrialView):
    rank: int
    interval: tuple[float, float] | None
    leader: bool


class Best(Wire):
    items: list[BestTrial]


class TrialPage(Wire):
    items: list[TrialView]
    next_cursor: str | None


class Epoch(Wire):
    """One point of a learning curve: an epoch, from 1, and the numbers that belong to it."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)
    __pydantic_extra__: dict[Name, Number]

    epoch: Annotated[Integer, Field(ge=0, le=LARGEST_SEED)]


Epochs: TypeAlias = Annotated[list[Epoch], Field(max_length=10_000)]


class Curve(Wire):
    attempt: int
    epochs: list[Epoch]
    removed: bool = False
    """Whether there were epochs that have been removed to save room."""


class CurveRetention(Wire):
    """Which curves stay: those of later trials, of the best, of all that cannot be told apart from the best one."""

    older_than_days: Annotated[Number, Field(ge=0, le=MOST_DAYS)]
    keep_best: Annotated[Integer, Field(ge=0, le=MAX_PAGE)] = 20
    dry_run: bool = False
    """Only count."""
    cursor: Annotated[str, Field(max_length=1024)] | None = None
    """Where the answer before left off."""


class ForgottenCurves(Wire):
    """What was removed of a part of a study's trials; to be asked again with the cursor until there is none."""

    curves: int
    bytes: int
    next_cursor: str | None


class GivenTrial(Wire):
    """Values by hand: enqueued as they are, imported as finished where there is a value."""

    params: Params
    value: Number | None = None
    samples: Annotated[Integer, Field(ge=1)] | None = None


class GivenTrials(Wire):
    """Values by hand, or all that another study has completed."""

    trials: Annotated[list[GivenTrial] | None, Field(min_length=1, max_length=1_000)] = None
    from_study: Annotated[str, Field(min_length=1, max_length=128)] | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> "GivenTrials":
        if (self.trials is None) == (self.from_study is None):
            raise FieldError("", "must have exactly one of trials and from_study")
        return self


class TrialList(Wire):
    """Trials that were taken in, the first thousand of them, and how many of those offered were not."""

    items: list[TrialView]
    count: int
    skipped: int = 0
