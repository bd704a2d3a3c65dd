"""What every parameter of a search shares: scalars, conditions, and how a field is refused."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

Scalar: TypeAlias = bool | int | float | str
When: TypeAlias = Mapping[str, Sequence[Scalar]]

ON_THE_WIRE: Mapping[str, object] = {"extra": "forbid", "allow_inf_nan": False}


class FieldError(ValueError):
    """A value object refused one of its fields; whoever holds the object knows the path before it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def identity(value: Scalar) -> tuple[str, Scalar]:
    """What makes two scalars the same on the wire: 1 and 1.0 are, 1 and true are not."""
    return ("bool" if isinstance(value, bool) else "str" if isinstance(value, str) else "number", value)
