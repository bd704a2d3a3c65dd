"""What a rule of early stopping is asked and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pydantic import BaseModel

from service.domain.trial import Goal

SettingsT = TypeVar("SettingsT", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What is known of a trial's run before it has reported anything."""

    number: int
    seed: int
    """The study's."""
    full: int | None = None
    """How many epochs a whole run has, where the study's settings say so."""
    every: int | None = None
    """How many epochs lie between two looks, where the study says so."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a run stands among the other runs that have come as far."""

    others: int = 0
    better: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A look at a run at an epoch. Of every number here, more is better."""

    epoch: int
    values: Sequence[float]
    """The metric after each epoch reported so far."""
    standing: Standing
    goal: Goal

    def said(self, value: float) -> str:
        """A value as it was reported, for a sentence."""
        return f"{self.goal.better(value):.4g}"


class Rule(Protocol[SettingsT]):
    """A way to tell early that a run is not worth its end; one file, one instance in the registry."""

    name: str
    description: str
    Settings: type[SettingsT]
    compares: bool
    """Looks at how other runs stood at the same epoch."""

    def faults(self, course: Course, settings: SettingsT) -> list[tuple[str, str]]:
        """What does not fit the study: (field of the block, sentence) pairs, none where all is right."""
        ...

    def next_check(self, course: Course, settings: SettingsT, after: int) -> int | None:
        """The first epoch above `after` at which the rule looks; None where it never does again."""
        ...

    def last_check(self, course: Course, settings: SettingsT, until: int) -> int | None:
        """The last epoch up to `until` at which the rule looks; None where there is none."""
        ...

    def bracket(self, course: Course, settings: SettingsT) -> int:
        """Among which runs it compares: those of the same bracket."""
        ...

    def reading(self, values: Sequence[float]) -> float:
        """The number by which a run is compared, from its values so far."""
        ...

    def verdict(self, check: Check, settings: SettingsT) -> str | None:
        """A sentence that says why the run ends here, or None where it goes on."""
        ...


def looks(
    rule: Rule[SettingsT], course: Course, settings: SettingsT, since: int, reported: Sequence[int]
) -> list[tuple[int, int]]:
    """The epochs at which a rule looks, of those above `since` that a run has come to, each with the report it is of.

    A report is looked at once, however many epochs it has skipped.
    """
    found: list[tuple[int, int]] = []
    for epoch in reported:
        check = rule.last_check(course, settings, epoch)
        if check is not None and check > since:
            found.append((check, epoch))
        since = max(since, epoch)
    return found
