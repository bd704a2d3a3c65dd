"""New ends for a range: from places on it, outwards to values that it has, or beyond it, up to its limit."""

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Literal, TypeAlias

from service.domain.space import FieldError, IntRange, Numeric

Side: TypeAlias = Literal["low", "high"]

ROUNDING = 1e-9
DIGITS = 3
FARTHEST_DECADES = 2
SHARE_ADDED = 0.5


def between(parameter: Numeric, start: float, end: float) -> Numeric:
    """The part of a range from one place to another (0 to 1), not less than that."""
    low, high = _value(parameter, start, "low"), _value(parameter, end, "high")
    return parameter.within(max(low, parameter.low), min(high, parameter.high))


def _value(parameter: Numeric, place: float, side: Side) -> float:
    if place <= 0:
        return parameter.low
    if place >= 1:
        return parameter.high
    if parameter.count is not None:
        return parameter.value(parameter.index_at(place))
    first, last = parameter.position(parameter.low), parameter.position(parameter.high)
    return _rounded(parameter.value_at(first + place * (last - first)), parameter, side)


def _rounded(value: float, parameter: Numeric, side: Side) -> float:
    return _to_digits(value, parameter, ROUND_FLOOR if side == "low" else ROUND_CEILING)


def _to_digits(value: float, parameter: Numeric, way: str) -> float:
    """To digits that matter within the width of the range."""
    size = min(abs(value), parameter.high - parameter.low) or 1.0
    unit = Decimal(1).scaleb(math.floor(math.log10(size)) - DIGITS + 1)
    return float((Decimal(value) / unit).to_integral_value(way) * unit)


def widened(parameter: Numeric, side: Side) -> Numeric | None:
    """The range with one end moved out by half its width, as far as it may; None where it may not.

    At most two decades on a log scale, and never past a limit. Without a limit not past zero
    either, nor an integer from 1 to 0: what is never negative is most often a size or a share.
    """
    if parameter.low == parameter.high:
        return None
    try:
        reach = _reach(parameter, side)
        wider = parameter.within(reach, parameter.high) if side == "low" else parameter.within(parameter.low, reach)
    except (FieldError, OverflowError):
        return None
    return wider if (wider.low, wider.high) != (parameter.low, parameter.high) else None


def _reach(parameter: Numeric, side: Side) -> float:
    first, last = parameter.position(parameter.low), parameter.position(parameter.high)
    added = SHARE_ADDED * (last - first)
    if parameter.scale == "log":
        added = min(added, FARTHEST_DECADES * math.log(10))
    if parameter.spacing is not None:
        return _on_lattice(parameter, side, _bounded(parameter, side, _apart(parameter, side, added)))
    wanted = parameter.value_at(first - added if side == "low" else last + added)
    return _bounded(parameter, side, _inwards(wanted, parameter, side))


def _apart(parameter: Numeric, side: Side, added: float) -> float:
    """At least one step out."""
    spacing = parameter.spacing or 1
    if side == "low":
        out = parameter.value_at(parameter.position(parameter.low) - added)
        return min(out, parameter.low - spacing)
    return max(parameter.value_at(parameter.position(parameter.high) + added), parameter.high + spacing)


def _inwards(value: float, parameter: Numeric, side: Side) -> float:
    """To digits that matter, but not for a last digit that was lost on the way to the log scale and back."""
    nearest = _to_digits(value, parameter, ROUND_HALF_EVEN)
    if math.isclose(nearest, value, rel_tol=ROUNDING):
        return nearest
    return _to_digits(value, parameter, ROUND_CEILING if side == "low" else ROUND_FLOOR)


def _bounded(parameter: Numeric, side: Side, value: float) -> float:
    limit = None if parameter.limit is None else getattr(parameter.limit, side)
    if side == "low":
        bound = limit if limit is not None else _natural(parameter)
        return min(max(value, bound), parameter.low)
    return max(min(value, limit if limit is not None else math.inf), parameter.high)


def _natural(parameter: Numeric) -> float:
    if isinstance(parameter, IntRange) and parameter.low >= 1:
        return 1
    return 0.0 if parameter.low >= 0 else -math.inf


def _on_lattice(parameter: Numeric, side: Side, value: float) -> float:
    """The farthest value of the lattice that is not beyond a value."""
    spacing = Decimal(repr(parameter.spacing))
    origin = Decimal(repr(parameter.low))
    steps = (Decimal(repr(value)) - origin) / spacing
    rounded = math.ceil(steps - Decimal(ROUNDING)) if side == "low" else math.floor(steps + Decimal(ROUNDING))
    return float(origin + rounded * spacing)
