"""One parameter as columns of numbers, worked out for many points at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from service.domain.space import Categorical, Numeric, Parameter, Params, Scalar, identity

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]

FARTHEST = 1_000.0
INACTIVE = 0.5
# A square root of 1/2, so that two choices are one unit apart, like the ends of a range.
APART = 0.5**0.5
FEW = 12
NOWHERE = -1.0


@dataclass(frozen=True)
class ChoiceAxis:
    """A column for each choice, those that only other points have included."""

    parameter: Categorical
    choices: tuple[tuple[str, Scalar], ...]
    smooth = False

    @classmethod
    def spanning(cls, parameter: Categorical, name: str, others: Iterable[Params]) -> Self:
        known = dict.fromkeys(map(identity, parameter.choices))
        known |= dict.fromkeys(identity(params[name]) for params in others if name in params)
        return cls(parameter, tuple(known))

    @property
    def width(self) -> int:
        return len(self.choices)

    @cached_property
    def middles(self) -> tuple[float, ...]:
        """Where in the unit interval each value of the box lies."""
        return tuple(self.parameter.to_unit(choice) for choice in self.parameter.choices)

    def of_values(self, values: Sequence[Scalar | None]) -> Floats:
        places = {choice: place for place, choice in enumerate(self.choices)}
        return self._columns([-1 if value is None else places[identity(value)] for value in values])

    def of_units(self, units: Floats, active: Flags) -> Floats:
        return self._columns(np.where(active, self.steps(units), NOWHERE).astype(np.intp))

    def steps(self, units: Floats) -> Floats:
        """The number of the value that owns each place."""
        return np.minimum(np.floor(units * self.parameter.count), self.parameter.count - 1)

    def step_of(self, value: Scalar) -> float:
        return float(self.parameter.index(value))

    def _columns(self, places: Sequence[int] | NDArray[np.intp]) -> Floats:
        pictures = np.vstack([np.eye(self.width), np.full(self.width, 1 / self.width)])
        return np.asarray(APART * pictures[places])


@dataclass(frozen=True)
class NumberAxis:
    """One column: the place in the box, which may lie beyond 0 and 1 for points of earlier rounds."""

    parameter: Numeric
    count: int | None
    width = 1

    @property
    def smooth(self) -> bool:
        """Whether following a gradient makes sense."""
        return self.count is None or self.count > FEW

    @cached_property
    def middles(self) -> tuple[float, ...]:
        """Where each value of the box lies, of a range of a few values."""
        values = [] if self.count is None or self.smooth else [self.parameter.value(n) for n in range(self.count)]
        return tuple(map(self.parameter.to_unit, values))

    @property
    def _spacing(self) -> float:
        return 0.0 if self.count is None else float(self.parameter.spacing or 0.0)

    @property
    def _ends(self) -> tuple[float, float]:
        """Where the scale begins, and where it ends; of counted values, a step beyond the last."""
        low, count = self.parameter.low, self.count
        return self.parameter.position(low), self.parameter.position(
            self.parameter.high if count is None else low + count * self._spacing
        )

    def of_values(self, values: Sequence[Scalar | None]) -> Floats:
        numbers = np.array([np.nan if value is None else float(value) for value in values])
        return self._column(self._units(numbers + self._spacing / 2), ~np.isnan(numbers))

    def of_units(self, units: Floats, active: Flags) -> Floats:
        return self._column(units if self.count is None else self._middle(self.steps(units)), active)

    def steps(self, units: Floats) -> Floats:
        """The number of the value that owns each place; nowhere, where there is a continuum."""
        if self.count is None:
            return np.full(len(units), NOWHERE)
        if self.parameter.scale == "linear":
            steps = np.floor(units * self.count)
        else:
            start, end = self._ends
            steps = np.floor((np.exp(start + units * (end - start)) - self.parameter.low) / (self._spacing or 1) + 1e-9)
        return np.clip(steps, 0, self.count - 1)

    def step_of(self, value: Scalar) -> float:
        return NOWHERE - 1 if self.count is None else float(self.parameter.index_at(self.parameter.to_unit(value)))

    def _middle(self, steps: Floats) -> Floats:
        return self._units(self.parameter.low + (steps + 0.5) * self._spacing)

    def _units(self, numbers: Floats) -> Floats:
        start, end = self._ends
        if start == end:
            return np.full(len(numbers), INACTIVE)
        with np.errstate(all="ignore"):
            places = np.log(numbers) if self.parameter.scale == "log" else numbers
            return (places - start) / (end - start)

    def _column(self, units: Floats, active: Flags) -> Floats:
        within = np.clip(np.nan_to_num(units, nan=-FARTHEST), -FARTHEST, FARTHEST)
        return np.where(active, within, INACTIVE)[:, np.newaxis]


Axis: TypeAlias = ChoiceAxis | NumberAxis


def axis_of(name: str, parameter: Parameter, others: Iterable[Params]) -> Axis:
    if isinstance(parameter, Categorical):
        return ChoiceAxis.spanning(parameter, name, others)
    return NumberAxis(parameter, parameter.count)
