"""What a search algorithm is asked and what it answers."""

from collections.abc import Container
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel

from service.domain.space import Params, PointKey, Scalar, Space
from service.domain.trial import Goal, Observation

SettingsT = TypeVar("SettingsT", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """All that a suggestion may depend on: asked the same, an algorithm answers the same."""

    space: Space
    """The box of the round in force."""
    goal: Goal
    seed: int
    """The study's."""
    number: int
    """The number of the first trial to suggest values for; the next suggestion is for the next number."""
    planned: int
    """How many trials the round is expected to suggest."""
    position: int = 0
    """Where the last answer in this round left off."""
    history: tuple[Observation, ...] = ()
    """Every finished trial, in the order of their ends; empty for an algorithm that does not look back."""
    pending: tuple[Params, ...] = ()
    """The values of trials that wait or run; empty for an algorithm that does not look back."""
    taken: Container[PointKey] = frozenset()
    """The keys of all points that the study has tried, runs or has waiting."""


@dataclass(frozen=True, slots=True)
class Answer:
    """As many points as were asked for; fewer where the space holds no others."""

    points: tuple[dict[str, Scalar], ...]
    position: int = 0


class Algorithm(Protocol[SettingsT]):
    """A way to choose the next points; one file, one instance in the registry."""

    name: str
    description: str
    Settings: type[SettingsT]
    instant: bool
    """Quick enough to answer while a worker waits for its claim, unless settings make it look back."""
    looks_back: bool
    """Always wants the history and what is pending."""

    def suggest(self, question: Question, settings: SettingsT, count: int) -> Answer: ...

    def capacity(self, space: Space, settings: SettingsT, planned: int) -> int | None:
        """How many points it can ever suggest in a space; None where there is no end."""
        ...

    def faults(self, space: Space, settings: SettingsT) -> list[tuple[str, str]]:
        """Settings that do not fit the space: (field below the settings, sentence) pairs, none where all is right."""
        ...


def is_instant(algorithm: Algorithm[Any], settings: BaseModel) -> bool:
    """Whether an algorithm with these settings answers at once; the history of a study may take long to read."""
    # Settings may make an algorithm look back which does not always.
    return algorithm.instant and not getattr(settings, "looks_back", False)
