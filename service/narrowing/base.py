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

    def judge(
        self, space: Space, history: Sequence[Observation], goal: Goal, settings: SettingsT
    ) -> Mapping[str, RangeEvidence]:
        """One verdict for each parameter of the box in force, from every finished trial of the study."""
        ...
