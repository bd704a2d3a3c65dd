"""A choice among a few values, and its picture in the unit interval."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from service.domain.parameter import ON_THE_WIRE, FieldError, Scalar, When, identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Categorical:
    __pydantic_config__: ClassVar[Mapping[str, object]] = ON_THE_WIRE

    choices: Sequence[Scalar]
    when: When | None = None
    type: Literal["categorical"] = "categorical"

    def __post_init__(self) -> None:
        object.__setattr__(self, "choices", tuple(self.choices))
        if not self.choices:
            raise FieldError("choices", "must name at least one choice")
        for choice in self.choices:
            if isinstance(choice, float) and not math.isfinite(choice):
                raise FieldError("choices", f"numbers must be finite, got {choice!r}")
        if len({identity(choice) for choice in self.choices}) < len(self.choices):
            raise FieldError("choices", "must not repeat a choice; leave each in once")

    @property
    def count(self) -> int:
        """How many choices there are."""
        return len(self.choices)

    def from_unit(self, unit: float) -> Scalar:
        """The choice at a place in [0, 1]; each owns an equal cell of it."""
        return self.choices[min(int(max(unit, 0.0) * self.count), self.count - 1)]

    def to_unit(self, value: Scalar) -> float:
        """The middle of a choice's cell; beyond 1 for what is no choice."""
        return (self.index(value) + 0.5) / self.count

    def index(self, value: Scalar) -> int:
        """The place of a choice in the list, or the length of the list for what is no choice."""
        known = [identity(choice) for choice in self.choices]
        return known.index(identity(value)) if identity(value) in known else self.count

    def fault(self, value: Scalar) -> str | None:
        """Why a value is not of this range, or None where it is."""
        if self.index(value) == self.count:
            return f"must be one of {list(self.choices)!r}, got {value!r}"
        return None

    def kind_fault(self, value: Scalar) -> str | None:
        """The same: a choice that is not there could not be placed among the others."""
        return self.fault(value)
