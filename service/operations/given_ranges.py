"""Ranges given by hand: what they may be, and what they make of the ones in force."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from service.domain.errors import InvalidInput
from service.domain.space import Categorical, FieldError, Numeric, Parameter, Scalar, Space


@dataclass(frozen=True, slots=True)
class GivenRange:
    """New ends, or new choices, for one parameter; what is None stays."""

    low: float | None = None
    high: float | None = None
    choices: Sequence[Scalar] | None = None


def given_parameter(space: Space, name: str, wanted: GivenRange) -> Parameter:
    """A parameter as it would be; raises InvalidInput for what it cannot be."""
    if name not in space.parameters:
        raise InvalidInput.of(f"ranges.{name}", f"is no parameter of this study; it has {', '.join(space.parameters)}")
    parameter = space.parameters[name]
    fields = {
        field: value
        for field, value in (("low", wanted.low), ("high", wanted.high), ("choices", wanted.choices))
        if value is not None
    }
    wrong = [field for field in fields if not hasattr(parameter, field)]
    if wrong or not fields:
        right = "choices" if isinstance(parameter, Categorical) else "low and high"
        raise InvalidInput.of(f"ranges.{name}.{(wrong or ['low'])[0]}", f"this parameter is given by {right}")
    try:
        return _checked(parameter, fields)
    except FieldError as error:
        raise InvalidInput.of(f"ranges.{name}.{error.field.removeprefix('limit.')}", str(error)) from error


def _checked(parameter: Parameter, fields: Mapping[str, object]) -> Parameter:
    if not isinstance(parameter, Categorical):
        _check_within_limit(parameter, fields)
    changed = replace(parameter, **_in_type(parameter, fields))  # type: ignore[arg-type]
    if not isinstance(changed, Categorical) and changed.spacing is None and changed.low == changed.high:
        raise FieldError("high", "must be above low")
    return changed


def _check_within_limit(parameter: Numeric, fields: Mapping[str, object]) -> None:
    limit, low, high = parameter.limit, fields.get("low"), fields.get("high")
    if limit and limit.low is not None and isinstance(low, int | float) and low < limit.low:
        raise FieldError("low", f"must not be below the limit of this parameter, {limit.low!r}, got {low!r}")
    if limit and limit.high is not None and isinstance(high, int | float) and high > limit.high:
        raise FieldError("high", f"must not be above the limit of this parameter, {limit.high!r}, got {high!r}")
    if parameter.step is not None and isinstance(low, int | float) and not parameter.holds(low):
        raise FieldError("low", f"must be one of the values {parameter.low!r}, {parameter.low!r} + step, ...")


def _in_type(parameter: Parameter, fields: Mapping[str, object]) -> dict[str, object]:
    if parameter.type != "int":
        return dict(fields)
    broken = [name for name, value in fields.items() if not (isinstance(value, float | int) and value == int(value))]
    if broken:
        raise FieldError(broken[0], f"must be an integer, got {fields[broken[0]]!r}")
    return {name: int(value) for name, value in fields.items() if isinstance(value, float | int)}
