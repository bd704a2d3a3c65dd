"""One range of values, and its picture in the unit interval."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import ClassVar, Literal, Self, TypeAlias

from service.domain.parameter import ON_THE_WIRE, FieldError, Scalar, When

Scale: TypeAlias = Literal["linear", "log"]

LARGEST_INT = 2**53
LARGEST_COUNT = 2**53
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How far a numeric range may ever be widened."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = ON_THE_WIRE

    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Numeric:
    """What float and int ranges share: a scale, an optional step and the way to the unit interval.

    With a step the values are low, low + step, ... up to high, and each owns the part of the
    scale from itself to the next one.
    """

    __pydantic_config__: ClassVar[Mapping[str, object]] = ON_THE_WIRE
    _accepted: ClassVar[tuple[type, ...]] = (int, float)
    _named: ClassVar[str] = "a number"

    low: float
    high: float
    scale: Scale = "linear"
    step: float | None = None
    when: When | None = None
    limit: Limit | None = None

    def __post_init__(self) -> None:
        _require_finite(self)
        if self.low > self.high:
            raise FieldError("high", f"must not be below low, and {self.high!r} is below {self.low!r}; swap them")
        if self.scale == "log" and self.low <= 0:
            raise FieldError("low", f"must be above 0 on a log scale, got {self.low!r}; for values to 0 use linear")
        if not math.isfinite(self.high - self.low):
            raise FieldError("high", "high - low must be a finite number; bring the ends closer together")
        _check_step(self.low, self.high, self.step)
        _check_limit(self.low, self.high, self.scale, self.limit)

    @property
    def spacing(self) -> float | None:
        """The distance of neighbouring values, or None where every value between the ends is allowed."""
        return self.step

    @property
    def count(self) -> int | None:
        """How many values there are; None for a continuum."""
        if self.low == self.high:
            return 1
        return None if self.spacing is None else _steps(self.low, self.high, self.spacing) + 1

    def position(self, value: float) -> float:
        """Where on its scale a value lies: the value itself, or its natural logarithm."""
        return math.log(value) if self.scale == "log" else value

    def value_at(self, position: float) -> float:
        """The value at a place on the scale, the reverse of `position`."""
        return math.exp(position) if self.scale == "log" else position

    def index_at(self, unit: float) -> int:
        """Which of the counted values owns a place in [0, 1]."""
        count, spacing = self.count or 1, self.spacing or 1
        if not 0 < unit < 1:
            return 0 if unit <= 0 else count - 1
        if self.scale == "linear":
            return min(math.floor(unit * count), count - 1)
        start, end = self.position(self.low), self.position(self.low + count * spacing)
        real = self.value_at(start + unit * (end - start))
        return min(max(math.floor((real - self.low) / spacing + ROUNDING), 0), count - 1)

    def to_unit(self, value: Scalar) -> float:
        """The place of a value in [0, 1], also for values outside the range (then beyond 0 or 1)."""
        count, spacing = self.count, self.spacing
        if spacing is None or count is None:
            return self._share(float(value), self.low, self.high)
        if self.scale == "linear":
            return ((float(value) - self.low) / spacing + 0.5) / count
        return self._share(float(value) + spacing / 2, self.low, self.low + count * spacing)

    def _share(self, value: float, low: float, high: float) -> float:
        if self.scale == "log" and value <= 0:
            return -math.inf
        start, end = self.position(low), self.position(high)
        if start == end:
            return 0.5
        return (self.position(value) - start) / (end - start)

    def holds(self, value: float) -> bool:
        """Whether a value lies on the lattice that low and step make, inside or outside of the range."""
        if self.spacing is None:
            return True
        steps = (_decimal(value) - _decimal(self.low)) / _decimal(self.spacing)
        return abs(steps - round(steps)) <= Decimal(ROUNDING)

    def fault(self, value: Scalar) -> str | None:
        """Why a value is not of this range, or None where it is."""
        if fault := self.kind_fault(value):
            return fault
        if not self.low <= value <= self.high:  # type: ignore[operator]
            return f"must be between {self.low!r} and {self.high!r}, got {value!r}"
        return None

    def kind_fault(self, value: Scalar) -> str | None:
        """Why a value could lie in no range of this kind, or None where it could."""
        if isinstance(value, bool | str) or not isinstance(value, self._accepted):
            return f"must be {self._named}, got {value!r}"
        if self.scale == "log" and value <= 0:
            return f"must be above 0 on a log scale, got {value!r}"
        return None

    def within(self, low: float, high: float) -> Self:
        """The same parameter between other ends."""
        return replace(self, low=low, high=high)


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatRange(_Numeric):
    type: Literal["float"] = "float"

    def __post_init__(self) -> None:
        for field in ("low", "high"):
            object.__setattr__(self, field, float(getattr(self, field)))
        # Not super(): a dataclass with slots is made anew, and the class cell still names the old one.
        _Numeric.__post_init__(self)

    def value(self, index: int) -> float:
        """The counted value of an index, from 0.

        Added up in decimal, as the numbers are written: 0.1 counts to 0.3, not to
        0.30000000000000004, and a range cut out of this one has the same values.
        """
        if self.step is None:
            return self.low
        return min(max(float(_decimal(self.low) + index * _decimal(self.step)), self.low), self.high)

    def from_unit(self, unit: float) -> float:
        """The value at a place in [0, 1]."""
        if self.count is not None:
            return self.value(self.index_at(unit))
        if not 0 < unit < 1:
            return self.low if unit <= 0 else self.high
        start, end = self.position(self.low), self.position(self.high)
        return min(max(self.value_at(start + unit * (end - start)), self.low), self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntRange(_Numeric):
    _accepted: ClassVar[tuple[type, ...]] = (int,)
    _named: ClassVar[str] = "an integer"

    low: int
    high: int
    step: int | None = None
    type: Literal["int"] = "int"

    def __post_init__(self) -> None:
        for field in ("low", "high", "step"):
            object.__setattr__(self, field, _whole(field, getattr(self, field)))
        _Numeric.__post_init__(self)
        if max(abs(self.low), abs(self.high)) > LARGEST_INT:
            raise FieldError("high", "integers must lie between -2^53 and 2^53, the range that JSON keeps exact")

    @property
    def spacing(self) -> int:
        return 1 if self.step is None else self.step

    @property
    def count(self) -> int:
        return (self.high - self.low) // self.spacing + 1

    def value(self, index: int) -> int:
        """The counted value of an index, from 0."""
        return self.low + index * self.spacing

    def from_unit(self, unit: float) -> int:
        """The value at a place in [0, 1]; each value owns a cell of it."""
        return self.value(self.index_at(unit))


Numeric: TypeAlias = FloatRange | IntRange


def _decimal(value: float) -> Decimal:
    return Decimal(repr(value))


def _steps(low: float, high: float, step: float) -> int:
    return int((_decimal(high) - _decimal(low)) / _decimal(step) + Decimal(ROUNDING))


def _whole(field: str, value: float | None) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise FieldError(field, f"must be an integer, got {value!r}")


def _require_finite(numeric: _Numeric) -> None:
    for field in fields(numeric):
        value = getattr(numeric, field.name)
        if isinstance(value, float) and not math.isfinite(value):
            raise FieldError(field.name, f"must be a finite number, got {value!r}")


def _check_step(low: float, high: float, step: float | None) -> None:
    if step is None:
        return
    if step <= 0 or (low < high and step > (high - low) * (1 + ROUNDING)):
        raise FieldError("step", f"must be above 0 and at most high - low, got {step!r}")
    if not math.isfinite(high + step) or (high - low) / step > LARGEST_COUNT:
        raise FieldError("step", f"must divide the range into at most 2^53 values, got {step!r}; make it larger")


def _check_limit(low: float, high: float, scale: Scale, limit: Limit | None) -> None:
    if limit is None:
        return
    if limit.low is not None and limit.low > low:
        raise FieldError("limit.low", f"must not be above low, {low!r}: a limit lies outside the range")
    if limit.high is not None and limit.high < high:
        raise FieldError("limit.high", f"must not be below high, {high!r}: a limit lies outside the range")
    if scale == "log" and limit.low is not None and limit.low <= 0:
        raise FieldError("limit.low", f"must be above 0 on a log scale, got {limit.low!r}")
