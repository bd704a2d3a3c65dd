"""The parts of a space in which a parameter has another of its choices than the best point has."""

from dataclasses import dataclass

import numpy as np

from service.domain.space import Space
from service.search.axes import APART, ChoiceAxis, Flags, Floats
from service.search.features import Features
from service.search.proposal import Region


@dataclass(frozen=True)
class Branch:
    """One choice of one parameter, each by its number."""

    parameter: int
    choice: int

    def made(self, features: Features, columns: Floats) -> Flags:
        """At which points it is the one that is made."""
        first = int(np.searchsorted(features.groups, self.parameter))
        return np.asarray(columns[:, first + self.choice] == APART)

    def around(self, features: Features, point: Floats) -> Region:
        """All of the space where it is made; what decides whether it can be is as at the point."""
        name, axis = list(features.axes.items())[self.parameter]
        asked = [place for place, other in enumerate(features.axes) if other in _asked(features.space, name)]
        region = Region.everywhere(len(point))
        region.low[asked] = region.high[asked] = point[asked]
        region.low[self.parameter] = region.high[self.parameter] = axis.middles[self.choice]
        return region


def other_branches(features: Features, point: Floats) -> list[Branch]:
    """Every choice that is not made at a point, of the parameters that have a say there."""
    active = features.active(point[np.newaxis])[0]
    return [
        Branch(number, choice)
        for number, axis in enumerate(features.axes.values())
        if isinstance(axis, ChoiceAxis) and active[number]
        for choice in range(len(axis.middles))
        if choice != axis.steps(point[number : number + 1])[0]
    ]


def _asked(space: Space, name: str) -> set[str]:
    """The parameters that decide whether another has a say."""
    when = space.parameters[name].when or {}
    return set(when).union(*(_asked(space, other) for other in when))
