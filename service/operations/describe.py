"""Describes what this server can search, narrow and check with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel

from service import narrowing, pruning, search
from trainer import objectives


@dataclass(frozen=True, slots=True)
class Description:
    """A name, a sentence, and the JSON Schema of the settings."""

    name: str
    description: str
    settings: Mapping[str, Any]
    metrics: tuple[str, ...] = ()


class _Described(Protocol):
    name: str
    description: str
    Settings: type[BaseModel]


def search_algorithms() -> list[Description]:
    """Those that a study can have here; one whose packages are missing is told of when a study asks for it."""
    return _all(search.available())


def narrowing_policies() -> list[Description]:
    return _all(narrowing.known())


def pruning_rules() -> list[Description]:
    return _all(pruning.known())


def known_objectives() -> list[Description]:
    return [
        Description(known.name, _first_line(known.Settings), known.Settings.model_json_schema(), known.metrics)
        for known in objectives.known()
    ]


def _all(known: Iterable[_Described]) -> list[Description]:
    return [Description(one.name, one.description, one.Settings.model_json_schema()) for one in known]


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().split("\n")[0]
