"""A box of ranges in force, and the evidence for changing it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.domain.space import Parameter, Space


class Verdict(StrEnum):
    KEEP = "keep"
    NARROW = "narrow"
    WIDEN = "widen"


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeEvidence:
    """What the finished trials say of one range."""

    verdict: Verdict
    proposed: Parameter
    """The range that would follow; the one in force where the verdict is to keep it."""
    reason: str
    """A sentence for a person."""
    trials: tuple[int, ...]
    """The numbers of the trials that it rests on."""
    confidence: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Ranges in force from one trial on, made from a parent round."""

    number: int
    parent: int | None
    space: Space
    origin: str
    evidence: Mapping[str, object] | None
    planned: int
    position: int
    opened_at: datetime
