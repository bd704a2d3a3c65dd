"""The wire models of the REST API: all that a worker or a client needs to know of the server."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    SerializerFunctionWrapHandler,
    StringConstraints,
    WrapSerializer,
    model_validator,
)

from service.domain.space import Categorical, FieldError, FloatRange, IntRange, Scalar, Space, check_when_values
from service.domain.status import AttemptEnd, FailureReason, Purpose, StudyStatus, TrialStatus

ALL_PURPOSES = tuple(Purpose)
LARGEST_ID = 2**63 - 1
LARGEST_SEED = 2**53
MAX_TRIALS = 10_000_000
MAX_WAIT_SECONDS = 30.0
MAX_PAGE = 1_000
MAX_REPEATS = 1_000
LONGEST_SECONDS = 100 * 366 * 86_400


class Wire(BaseModel):
    """A message, which nobody changes and which holds nothing but what is declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _is_none(value: object) -> bool:
    return value is None


Unsaid = Field(exclude_if=_is_none)


def _without_none(parameter: object, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
    return {field: value for field, value in serialize(parameter).items() if value is not None}


def _numbers_are_numbers(raw: object) -> object:
    if isinstance(raw, Mapping):
        for field in ("low", "high", "step"):
            if isinstance(raw.get(field), str | bool):
                raise FieldError(field, f"must be a number, not the {type(raw[field]).__name__} {raw[field]!r}")
    return raw


StudyName: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
Name: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._:-]{0,127}$")]
WorkerName: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Tag: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Number: TypeAlias = Annotated[float, Field(strict=True)]
Integer: TypeAlias = Annotated[int, Field(strict=True, ge=-LARGEST_ID, le=LARGEST_ID)]
Settings: TypeAlias = dict[str, JsonValue]
Parameter: TypeAlias = Annotated[
    Annotated[FloatRange | IntRange | Categorical, Field(discriminator="type")],
    BeforeValidator(_numbers_are_numbers),
    WrapSerializer(_without_none),
]
Ranges: TypeAlias = dict[Name, Parameter]
Params: TypeAlias = dict[Name, Scalar]


class ObjectiveSpec(Wire):
    name: Name
    settings: Settings = {}


class MetricSpec(Wire):
    name: Name = "validation_accuracy"
    goal: Literal["maximize", "minimize"] = "maximize"


class SearchSpec(Wire):
    algorithm: str = "random"
    seed: Annotated[Integer, Field(ge=0, le=LARGEST_SEED)] | None = None
    settings: Settings = {}


class PolicySpec(Wire):
    """A narrowing policy or a pruning rule, with how often it acts by itself."""

    policy: str
    every: Annotated[Annotated[Integer, Field(ge=1, le=MAX_TRIALS)] | None, Unsaid] = None
    settings: Settings = {}


class BudgetSpec(Wire):
    """What ends a study, whichever comes first; at least one bound is set."""

    trials: Annotated[Annotated[Integer, Field(ge=1, le=MAX_TRIALS)] | None, Unsaid] = None
    seconds: Annotated[Annotated[Number, Field(gt=0, le=LONGEST_SECONDS)] | None, Unsaid] = None
    epochs: Annotated[Annotated[Integer, Field(ge=1)] | None, Unsaid] = None
    target: Annotated[Number | None, Unsaid] = None

    @model_validator(mode="after")
    def _bounded(self) -> "BudgetSpec":
        if self.trials is None and self.seconds is None and self.epochs is None and self.target is None:
            raise FieldError("", "must set at least one of trials, seconds, epochs and target")
        return self


class RetrySpec(Wire):
    max_attempts: Annotated[Integer, Field(ge=1, le=1000)] = 3


class StudySpec(Wire):
    """A search as it is submitted."""

    name: StudyName
    objective: ObjectiveSpec
    metric: MetricSpec = MetricSpec()
    space: Ranges
    search: SearchSpec = SearchSpec()
    budget: BudgetSpec
    narrowing: PolicySpec | None = None
    pruning: PolicySpec | None = None
    retry: RetrySpec = RetrySpec()
    lease_seconds: Annotated[Number, Field(ge=1, le=86_400)] = 30.0
    max_parallel: Annotated[Integer, Field(ge=1, le=MAX_TRIALS)] | None = None
    keep_weights: Literal["best", "none"] = "none"
    tags: Annotated[list[Tag], Field(max_length=64)] = []
    description: Annotated[str, Field(max_length=10_000)] = ""

    @model_validator(mode="after")
    def _searchable(self) -> "StudySpec":
        for name, parameter in self.space.items():
            if not isinstance(parameter, Categorical) and parameter.low == parameter.high:
                raise FieldError(
                    f"space.{name}.high", "must be above low; a fixed value belongs into objective.settings"
                )
        try:
            check_when_values(Space(self.space))
        except FieldError as error:
            raise FieldError(f"space.{error.field}".rstrip("."), str(error)) from error
        return self


class SearchPatch(Wire):
    """Another algorithm, or other settings for it; the seed of a study stays."""

    algorithm: str
    settings: Settings = {}


class StudyPatch(Wire):
    """What may change in a study; the budget is merged into the one there is, null lifts a bound.

    A changed search, narrowing or pruning holds from the next trial on; null takes a policy or a rule away.
    """

    search: SearchPatch | None = None
    narrowing: PolicySpec | None = None
    pruning: PolicySpec | None = None
    budget: dict[Literal["trials", "seconds", "epochs", "target"], Integer | Number | None] | None = None
    description: Annotated[str, Field(max_length=10_000)] | None = None
    tags: Annotated[list[Tag], Field(max_length=64)] | None = None


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
    trials: list[ClaimedTrial]


Token: TypeAlias = Annotated[str, Field(min_length=1, max_length=128)]


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


class RangeByHand(Wire):
    """New ends, or new choices, for one parameter."""

    low: Annotated[Number | None, Unsaid] = None
    high: Annotated[Number | None, Unsaid] = None
    choices: Annotated[list[Scalar] | None, Unsaid] = None


class RoundRequest(Wire):
    """One of four: the proposal as it stands, a policy applied now, ranges given by hand, or the round before."""

    from_: Annotated[Literal["proposal", "undo"] | None, Field(alias="from")] = None
    policy: str | None = None
    settings: Settings = {}
    ranges: Annotated[dict[Name, RangeByHand], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "RoundRequest":
        if sum(way is not None for way in (self.from_, self.policy, self.ranges)) != 1:
            raise FieldError("", 'must have exactly one of "from": "proposal" or "undo", "policy" and "ranges"')
        return self


class RoundView(Wire):
    number: int
    parent: int | None
    ranges: Ranges
    origin: str
    evidence: dict[str, JsonValue] | None
    opened_at: datetime


class RoundList(Wire):
    items: list[RoundView]


class ProposedRange(Wire):
    low: Annotated[float | None, Unsaid] = None
    high: Annotated[float | None, Unsaid] = None
    choices: Annotated[list[Scalar] | None, Unsaid] = None


class RangeVerdict(Wire):
    """What the evidence says of one range; `low` and `high` are those in force."""

    verdict: Literal["keep", "narrow", "widen"]
    low: float | None = None
    high: float | None = None
    choices: list[Scalar] | None = None
    proposed: ProposedRange
    reason: str
    confidence: float | None
    trials: list[int]


class Narrowing(Wire):
    round: int
    policy: str
    settings: Settings
    ranges: dict[str, RangeVerdict]


TrialNumber: TypeAlias = Annotated[Integer, Field(ge=0)]


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


class ParameterImportance(Wire):
    """How much one parameter matters; the numbers are null where there are too few trials to know them."""

    importance: float | None
    """The share of the variance of the trials' ranks in which it has a part, alone or together with others."""
    alone: float | None
    """The share that it has by itself."""
    p_value: float | None
    """How likely chance alone is to let it seem to matter so much, corrected for the number of parameters."""
    matters: bool
    reason: str


class Importance(Wire):
    """Which parameters matter, from how many trials."""

    study: str
    trials: int
    method: str
    parameters: dict[str, ParameterImportance]


class WorkerView(Wire):
    name: str
    objectives: list[str]
    running: int
    completed: int
    failed: int
    first_seen_at: datetime
    last_seen_at: datetime


class WorkerList(Wire):
    items: list[WorkerView]


class Plugin(Wire):
    """One algorithm, policy, rule or objective, with the JSON Schema of its settings."""

    name: str
    description: str
    settings: dict[str, Any]


class Algorithms(Wire):
    search: list[Plugin]
    narrowing: list[Plugin]
    pruning: list[Plugin]


class ObjectiveView(Plugin):
    metrics: list[str]


class Objectives(Wire):
    items: list[ObjectiveView]


class FieldFault(Wire):
    field: str
    message: str


class Problem(Wire):
    """An error as RFC 9457 has it, with the fields that are wrong and the next step in `detail`."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None
    field: str | None = None
    errors: list[FieldFault] = []


class Version(Wire):
    version: str
    python: str
    database: str
