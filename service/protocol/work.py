"""What a worker says and hears: claims, reports and ends of trials."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from service.domain.status import FailureReason, Purpose
from service.protocol.base import Integer, Name, Number, Params, Settings, Token, Unsaid, Wire, WorkerName
from service.protocol.trials import Epoch, Epochs, TrialView


class ClaimRequest(Wire):
    worker: WorkerName
    objectives: Annotated[list[Name], Field(min_length=1, max_length=256)]
    count: Annotated[Integer, Field(ge=1, le=1_000)] = 1
    wait_seconds: Annotated[Number, Field(ge=0)] = 0.0
    study: Annotated[str, Field(max_length=128)] | None = None
    purposes: list[Purpose] = [Purpose.SEARCH, Purpose.CONFIRMATION]
    request_id: Annotated[str, Field(min_length=1, max_length=128)] | None = None


class Lease(Wire):
    token: str
    expires_at: datetime
    renew_seconds: float


class KeepWeights(Wire):
    """What a trial must reach for its weights to be wanted; null for anything."""

    goal: Literal["maximize", "minimize"]
    at_least_as_good_as: float | None

    def wants(self, value: float) -> bool:
        """Whether the weights behind a value are wanted."""
        bar = self.at_least_as_good_as
        return bar is None or (value >= bar if self.goal == "maximize" else value <= bar)


class ClaimedTrial(Wire):
    """A trial to run: `seed` for what differs between trials, `split_seed` for the split that they share.

    In a final test, the only place for test images, `curve_ends` are the last epochs of the trainings that it follows.
    """

    id: int
    study: str
    study_name: str
    number: int
    attempt: int
    objective: str
    settings: Settings
    params: Params
    metric: str
    seed: int
    split_seed: int
    purpose: Purpose
    last_epoch: int | None
    report_at: int | None = None
    """The epoch after which to report at once: a rule of early stopping waits for it."""
    curve_ends: list[Epoch] = []
    keep_weights: KeepWeights | None = None
    lease: Lease


class Claimed(Wire):
    """Trials to run; where there are none since the worker is paused, why."""

    trials: list[ClaimedTrial]
    paused: Annotated[str | None, Unsaid] = None


class ReportRequest(Wire):
    """Epochs, or none as a heartbeat; `claim_next` trials are claimed where the answer is to stop."""

    lease: Token
    epochs: Epochs = []
    claim_next: Annotated[Integer, Field(ge=0, le=1_000)] = 0


class ReportAnswer(Wire):
    action: Literal["continue", "stop"]
    reason: str | None
    expires_at: datetime | None
    report_at: int | None = None
    claimed: Claimed = Claimed(trials=[])


class CompleteRequest(Wire):
    lease: Token
    value: Number
    samples: Annotated[Integer, Field(ge=1)] | None = None
    epochs: Epochs = []
    claim_next: Annotated[Integer, Field(ge=0, le=1_000)] = 0


class CompleteAnswer(Wire):
    trial: TrialView
    claimed: Claimed


class FailRequest(Wire):
    lease: Token
    reason: Literal[FailureReason.ERROR, FailureReason.DIVERGED, FailureReason.TIMEOUT] = FailureReason.ERROR
    message: Annotated[str, Field(max_length=100_000)] = ""
    retryable: Annotated[bool, Field(strict=True)] = False
    epochs: Epochs = []


class ReleaseRequest(Wire):
    lease: Token
    epochs: Epochs = []
