"""Ranges in force, what the evidence says of them, and which parameters matter."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, JsonValue, model_validator

from service.domain.space import FieldError, Scalar
from service.protocol.base import Name, Number, Ranges, Settings, Unsaid, Wire


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
