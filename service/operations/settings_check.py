"""Tells what a settings model refuses, field by field."""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel, ValidationError

from service.domain.errors import Fault


def settings_faults(model: type[BaseModel], settings: Mapping[str, object], path: str) -> Iterator[Fault]:
    """What a settings model refuses, each with the path of its field."""
    try:
        model.model_validate(dict(settings))
    except ValidationError as error:
        for fault in error.errors():
            place = ".".join([path, *(str(part) for part in fault["loc"])])
            unknown = fault["type"] == "extra_forbidden"
            yield Fault(place, not_a_setting(model) if unknown else fault["msg"].removeprefix("Value error, "))


def not_a_setting(model: type[BaseModel]) -> str:
    """The sentence for a name that a settings model does not have."""
    return f"is no setting here; there are {', '.join(model.model_fields) or 'none'}"
