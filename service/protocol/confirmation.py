"""What the best trials are worth: trained again, and tested once."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, model_validator

from service.domain.space import FieldError
from service.domain.status import TrialStatus
from service.protocol.base import MAX_REPEATS, Integer, Params, TrialNumber, Wire
from service.protocol.trials import Failure


class ConfirmationRequest(Wire):
    """The best n trials, or those named, each trained again with so many seeds, which all of them share."""

    n: Annotated[Integer, Field(ge=1, le=100)] = 5
    seeds: Annotated[Integer, Field(ge=1, le=100)] = 5
    new_splits: Annotated[bool, Field(strict=True)] = False
    trials: Annotated[list[TrialNumber], Field(min_length=1, max_length=100)] | None = None

    @model_validator(mode="after")
    def _trainable(self) -> "ConfirmationRequest":
        sources = self.n if self.trials is None else len(self.trials)
        if sources * self.seeds > MAX_REPEATS:
            raise FieldError("seeds", f"makes {sources * self.seeds} trainings; there may be {MAX_REPEATS} at a time")
        return self


class Difference(Wire):
    """The trial's values less the winner's, over the seeds that both have.

    The interval is a 95% interval of this difference; p is corrected for all trials compared (Holm 1979).
    """

    mean: float
    interval: tuple[float, float] | None
    p: float | None


class ConfirmedTrial(Wire):
    """A search trial and what its repeats say; `missing` counts those without a value, `diverged` some of them."""

    trial: int
    params: Params
    search_value: float | None
    repeats: list[int]
    values: list[float]
    missing: int
    diverged: int
    mean: float | None
    interval: tuple[float, float] | None
    rank: int | None
    leader: bool
    difference: Difference | None


class Confirmation(Wire):
    status: Literal["waiting", "running", "completed"]
    seeds: int
    new_splits: bool
    items: list[ConfirmedTrial]


class FinalTestRequest(Wire):
    """The trial to test; without one it is the best confirmed."""

    trial: TrialNumber | None = None


class FinalTest(Wire):
    """The one final test of a study: of `trial`, run under `number`; the test set counts as opened from `opened_at`."""

    status: TrialStatus
    trial: int
    number: int
    params: Params
    opened_at: datetime | None
    accuracy: float | None
    interval: tuple[float, float] | None
    samples: int | None
    failure: Failure | None
