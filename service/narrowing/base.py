"""What a narrowing policy is given and what it says."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from pydantic import BaseModel

from service.domain.rounds import RangeEvidence
from service.domain.space import Space
from service.domain.trial import Goal, Observation

SettingsT = TypeVar("SettingsT", bound=BaseModel)


class Policy(Protocol[SettingsT]):
    """A way to read a verdict on each range from finished trials; one file, one instance in the registry."""

    name: str
    description: str
    Settings: type[SettingsT]

    def best(self, settings: SettingsT) -> int | None:
        """How many of the best trials it looks at; None where it must not be given trials for their values."""
        ...

    def judge(
        self, space: Space, history: Sequence[Observation], goal: Goal, settings: SettingsT
    ) -> Mapping[str, RangeEvidence]:
        """One verdict for each parameter of the box in force, from finished trials of the study.

        From all of them, or of very many from the best, or from some that were not chosen by their values.
        """
        ...
