"""What a narrowing policy is given and what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pydantic import BaseModel

from service.domain.rounds import RangeEvidence
from service.domain.space import Space
from service.domain.trial import Goal, Observation

SettingsT = TypeVar("SettingsT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Demand:
    """How many trials a policy cannot do without, and whether they are the best or must not be chosen by value."""

    trials: int
    best: bool = False


class Policy(Protocol[SettingsT]):
    """A way to read a verdict on each range from finished trials; one file, one instance in the registry."""

    name: str
    description: str
    Settings: type[SettingsT]

    def demand(self, settings: SettingsT) -> Demand:
        """Which trials it is to be given where very many have finished."""
        ...

    def judge(
        self, space: Space, history: Sequence[Observation], goal: Goal, settings: SettingsT
    ) -> Mapping[str, RangeEvidence]:
        """One verdict for each parameter of the box in force, from finished trials of the study.

        From all of them, or of very many from the best, or from some that were not chosen by their values.
        """
        ...
