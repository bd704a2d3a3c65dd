"""A study as it is submitted, and what may change in it."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from service.domain.space import Categorical, FieldError, Space, check_when_values
from service.protocol.base import (
    LARGEST_SEED,
    LONGEST_SECONDS,
    MAX_TRIALS,
    Integer,
    Name,
    Number,
    Ranges,
    Settings,
    StudyName,
    Tag,
    Unsaid,
    Wire,
)


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
