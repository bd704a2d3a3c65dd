"""Points as the rows of numbers that a model compares."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from service.domain.space import Categorical, Params, Scalar, Space, identity

FARTHEST = 1_000.0
INACTIVE = 0.5


@dataclass(frozen=True)
class Features:
    """Numbers at their place in the box in force, choices as one column each.

    Points of earlier rounds may lie beyond 0 and 1, or have choices that the box no longer has.
    """

    space: Space
    choices: dict[str, tuple[tuple[str, Scalar], ...]]

    @classmethod
    def spanning(cls, space: Space, others: Iterable[Params]) -> Self:
        """Those of a box and of other points."""
        known = {
            name: dict.fromkeys(identity(choice) for choice in parameter.choices)
            for name, parameter in space.parameters.items()
            if isinstance(parameter, Categorical)
        }
        for params in others:
            for name in known.keys() & params.keys():
                known[name].setdefault(identity(params[name]))
        return cls(space, {name: tuple(choices) for name, choices in known.items()})

    def rows(self, points: Sequence[Params]) -> NDArray[np.float64]:
        return np.array([self._row(point) for point in points], dtype=np.float64)

    def _row(self, params: Params) -> list[float]:
        return [column for name in sorted(self.space.parameters) for column in self._columns(name, params)]

    def _columns(self, name: str, params: Params) -> list[float]:
        parameter = self.space.parameters[name]
        if isinstance(parameter, Categorical):
            choices = self.choices[name]
            if name not in params:
                return [1 / len(choices)] * len(choices)
            # A square root of 1/2, so that two choices are one unit apart, like the ends of a range.
            return [0.5**0.5 if choice == identity(params[name]) else 0.0 for choice in choices]
        if name not in params:
            return [INACTIVE]
        return [min(max(parameter.to_unit(params[name]), -FARTHEST), FARTHEST)]
