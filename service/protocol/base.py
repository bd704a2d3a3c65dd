"""What all wire models have in common: what a message is, and the names and numbers in it."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    SerializerFunctionWrapHandler,
    StringConstraints,
    WrapSerializer,
)

from service.domain.space import Categorical, FieldError, FloatRange, IntRange, Scalar
from service.domain.status import Purpose

ALL_PURPOSES = tuple(Purpose)
LARGEST_ID = 2**63 - 1
LARGEST_SEED = 2**53
MAX_TRIALS = 10_000_000
MAX_WAIT_SECONDS = 30.0
MAX_PAGE = 1_000
MAX_REPEATS = 1_000
MOST_DAYS = 36_600
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
Token: TypeAlias = Annotated[str, Field(min_length=1, max_length=128)]
TrialNumber: TypeAlias = Annotated[Integer, Field(ge=0)]
