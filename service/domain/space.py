"""The values a search may try: a box of ranges, and its picture in the unit cube."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TypeAlias

from service.domain.categorical import Categorical
from service.domain.parameter import FieldError, Scalar, When, identity
from service.domain.ranges import FloatRange, IntRange, Limit, Numeric, Scale

__all__ = [
    "Categorical",
    "FieldError",
    "FloatRange",
    "IntRange",
    "Limit",
    "Numeric",
    "Parameter",
    "Params",
    "PointKey",
    "Scalar",
    "Scale",
    "Space",
    "When",
    "check_when_values",
    "identity",
    "key_of",
]

MOST_PARAMETERS = 1_000
MOST_OUTCOMES = 4_096

Parameter: TypeAlias = FloatRange | IntRange | Categorical
Params: TypeAlias = Mapping[str, Scalar]
PointKey: TypeAlias = str


@dataclass(frozen=True, slots=True)
class Space:
    """A box of ranges, by parameter name."""

    parameters: Mapping[str, Parameter]
    order: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """The names, every parameter after those that its `when` asks for."""

    def __post_init__(self) -> None:
        if not self.parameters:
            raise FieldError("", "must have at least one parameter")
        if len(self.parameters) > MOST_PARAMETERS:
            raise FieldError("", f"must have at most {MOST_PARAMETERS:,} parameters, and has {len(self.parameters):,}")
        for name, parameter in self.parameters.items():
            _check_when(name, parameter, self.parameters)
        _check_outcomes(self)
        object.__setattr__(self, "order", _in_order(self.parameters))

    @property
    def count(self) -> int | None:
        """An upper bound of how many points there are; None for a continuum."""
        counts = [parameter.count for parameter in self.parameters.values()]
        return None if any(count is None for count in counts) else math.prod(count or 1 for count in counts)

    def decode(self, units: Mapping[str, float]) -> dict[str, Scalar]:
        """The values at a point of the unit cube; parameters that are not active there are left out."""
        values: dict[str, Scalar] = {}
        for name in self.order:
            if _active(self.parameters[name], values):
                values[name] = self.parameters[name].from_unit(units[name])
        return {name: values[name] for name in self.parameters if name in values}

    def encode(self, params: Params) -> dict[str, float]:
        """The point of the unit cube where values lie, inactive parameters at the middle."""
        return {
            name: parameter.to_unit(params[name]) if name in params else 0.5
            for name, parameter in self.parameters.items()
        }

    def active(self, params: Params) -> frozenset[str]:
        """The names whose `when` holds for these values."""
        present: dict[str, Scalar] = {}
        for name in self.order:
            if _active(self.parameters[name], present) and name in params:
                present[name] = params[name]
        return frozenset(name for name, parameter in self.parameters.items() if _active(parameter, present))

    def faults(self, params: Params, *, elsewhere: bool = False) -> list[tuple[str, str]]:
        """What is wrong with values given by hand: (parameter, sentence) pairs, none where all is right.

        Values that were tried elsewhere may lie outside of the ranges.
        """
        active = self.active(params)
        unknown = [(name, "is no parameter of this study's space") for name in params if name not in self.parameters]
        idle = [
            (name, "is not active with these values; leave it out")
            for name in params
            if name in self.parameters and name not in active
        ]
        missing = [(name, "is missing") for name in self.order if name in active and name not in params]
        wrong = [
            (name, fault)
            for name in self.order
            if name in active and name in params and (fault := _fault(self.parameters[name], params[name], elsewhere))
        ]
        return unknown + idle + missing + wrong

    @property
    def ties(self) -> list[set[str]]:
        """The names that conditions tie together, directly or through others, each group with those it asks."""
        return _joined([{name, *(one.when or {})} for name, one in self.parameters.items() if one.when])

    def with_ranges(self, ranges: Mapping[str, Parameter]) -> "Space":
        """The same space with other ranges for some parameters."""
        return Space({name: ranges.get(name, parameter) for name, parameter in self.parameters.items()})


def check_when_values(space: Space) -> None:
    """Refuse a condition that no value of the other parameter can meet (a narrowed space may have some)."""
    for name, parameter in space.parameters.items():
        for other, values in (parameter.when or {}).items():
            for value in values:
                if fault := space.parameters[other].fault(value):
                    raise FieldError(f"{name}.when.{other}", fault)


def key_of(params: Params) -> PointKey:
    """What two points of the same values share."""
    canonical = sorted((name, *identity(_whole(value))) for name, value in params.items())
    return blake2b(json.dumps(canonical).encode(), digest_size=16).hexdigest()


def _fault(parameter: Parameter, value: Scalar, elsewhere: bool) -> str | None:
    return parameter.kind_fault(value) if elsewhere else parameter.fault(value)


def _whole(value: Scalar) -> Scalar:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _check_when(name: str, parameter: Parameter, parameters: Mapping[str, Parameter]) -> None:
    for other, values in (parameter.when or {}).items():
        if other not in parameters or other == name:
            raise FieldError(f"{name}.when.{other}", "must name another parameter of the space")
        if not values:
            raise FieldError(f"{name}.when.{other}", "must list at least one value")


def _check_outcomes(space: Space) -> None:
    """Refuse conditions that can come out in so many ways that listing them would hold up everybody."""
    asked: dict[str, set[tuple[str, Scalar]]] = {}
    for parameter in space.parameters.values():
        for other, values in (parameter.when or {}).items():
            asked.setdefault(other, set()).update(identity(value) for value in values)
    for tied in space.ties:
        if math.prod(1 + len(asked.get(name, ())) for name in tied) > MOST_OUTCOMES:
            name = next(name for name in space.parameters if name in tied and space.parameters[name].when)
            raise FieldError(
                f"{name}.when",
                f"the conditions tied to this one come out in more than {MOST_OUTCOMES:,} ways; "
                "let parameters depend on fewer others",
            )


def _joined(groups: Sequence[set[str]]) -> list[set[str]]:
    joined: list[set[str]] = []
    for group in groups:
        apart = [other for other in joined if not other & group]
        joined = [*apart, group.union(*(other for other in joined if other & group))]
    return joined


def _in_order(parameters: Mapping[str, Parameter]) -> tuple[str, ...]:
    placed: list[str] = []
    waiting = list(parameters)
    while waiting:
        ready = [name for name in waiting if set(parameters[name].when or {}) <= set(placed)]
        if not ready:
            raise FieldError(f"{waiting[0]}.when", "must not depend on itself, directly or through others")
        placed += ready
        waiting = [name for name in waiting if name not in ready]
    return tuple(placed)


def _active(parameter: Parameter, values: Params) -> bool:
    return not parameter.when or all(
        other in values and identity(values[other]) in {identity(value) for value in wanted}
        for other, wanted in parameter.when.items()
    )
