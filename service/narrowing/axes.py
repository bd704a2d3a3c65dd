"""Points of a search as rows of numbers: the place on each range, the index of each choice, NaN where not active."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from service.domain.space import Categorical, Params, Scalar, Space
from service.narrowing.likelihood import pairs
from service.narrowing.surface import Floats, Indices

MOST_LEVELS = 64
INACTIVE = 0.5
FARTHEST = 1e6


@dataclass(frozen=True)
class Axes:
    """The parameters by which points are compared."""

    space: Space
    names: tuple[str, ...]

    def rows(self, points: Sequence[Params]) -> Floats:
        return np.array([self._places(name, points) for name in self.names]).T

    def _places(self, name: str, points: Sequence[Params]) -> Floats:
        parameter = self.space.parameters[name]
        if isinstance(parameter, Categorical) or parameter.count is not None:
            return self._counted_places(name, points)
        start, end = parameter.position(parameter.low), parameter.position(parameter.high)
        values = np.array([point.get(name, np.nan) for point in points], dtype=np.float64)
        positions = np.log(values) if parameter.scale == "log" else values
        return np.clip((positions - start) / (end - start), -FARTHEST, FARTHEST)

    def _counted_places(self, name: str, points: Sequence[Params]) -> Floats:
        """There are few values beside the points that have them."""
        # By their types too, since a choice of True is not one of 1.
        values = [(type(point[name]), point[name]) if name in point else None for point in points]
        places = {value: np.nan if value is None else self._place(name, value[1]) for value in set(values)}
        return np.array([places[value] for value in values])

    def _place(self, name: str, value: Scalar) -> float:
        parameter = self.space.parameters[name]
        if isinstance(parameter, Categorical):
            return float(parameter.index(value))
        return min(max(parameter.to_unit(value), -FARTHEST), FARTHEST)

    @cached_property
    def choices(self) -> Indices:
        """How many choices each parameter has; 0 for ranges."""
        found = [self.space.parameters[name] for name in self.names]
        return np.array([one.count if isinstance(one, Categorical) else 0 for one in found], dtype=np.intp)

    @cached_property
    def owners(self) -> Indices:
        """The parameter of each column."""
        return np.repeat(np.arange(len(self.names)), np.maximum(self.choices, 1))

    def columns(self, rows: Floats) -> Floats:
        """Numbers whose distances count: choices as one column each, any two of them one unit apart."""
        parts = [self._column(rows[:, index], count) for index, count in enumerate(self.choices.tolist())]
        return np.concatenate(parts, axis=1)

    def _column(self, places: Floats, count: int) -> Floats:
        idle = np.isnan(places)
        if not count:
            return np.where(idle, INACTIVE, places)[:, None]
        chosen = np.where(places[:, None] == np.arange(count), 0.5**0.5, 0.0)
        return np.asarray(np.where(idle[:, None], 0.5**0.5 / count, chosen))

    def squares(self, rows: Floats) -> Floats:
        """Squared differences of all pairs of rows, one row a parameter."""
        columns = self.columns(rows)
        return np.array([_apart(columns[:, self.owners == index]) for index in range(len(self.names))])

    def inside(self, rows: Floats) -> NDArray[np.bool_]:
        """Which rows lie in the box."""
        ranges = rows[:, self.choices == 0]
        return np.asarray((np.isnan(ranges) | ((ranges >= 0) & (ranges <= 1))).all(axis=1))

    def spread(self, units: Floats) -> Floats:
        """Points of the unit cube as points of the box in which every parameter is active."""
        return np.asarray(np.where(self.choices > 0, np.floor(units * np.maximum(self.choices, 1)), units))

    def settled(self, rows: Floats) -> Floats:
        """The nearest points that the box has, without the parameters that are not active there."""
        settled = np.clip(rows, 0, np.where(self.choices > 0, self.choices - 1, 1))
        for index, levels in enumerate(self._levels):
            if levels is not None:
                settled[:, index] = _nearest(levels, settled[:, index])
        for name in self.space.order:
            if name in self.names:
                settled[~self._active(name, settled), self.names.index(name)] = np.nan
        return settled

    @cached_property
    def _levels(self) -> list[Floats | None]:
        return [self._levels_of(name) for name in self.names]

    def _levels_of(self, name: str) -> Floats | None:
        parameter = self.space.parameters[name]
        if isinstance(parameter, Categorical) or parameter.count is None or parameter.count > MOST_LEVELS:
            return None
        return np.array([parameter.to_unit(parameter.value(index)) for index in range(parameter.count)])

    def _active(self, name: str, rows: Floats) -> NDArray[np.bool_]:
        active = np.ones(len(rows), dtype=bool)
        for other, values in (self.space.parameters[name].when or {}).items():
            if other in self.names:
                wanted = [self._place(other, value) for value in values if self._has(other, value)]
                active &= np.isclose(rows[:, self.names.index(other), None], wanted).any(axis=1)
        return active

    def _has(self, name: str, value: Scalar) -> bool:
        return self.space.parameters[name].fault(value) is None


def _apart(columns: Floats) -> Floats:
    first, second = pairs(len(columns))
    return np.asarray(np.square(columns[first] - columns[second]).sum(axis=1))


def _nearest(levels: Floats, places: Floats) -> Floats:
    above = np.clip(np.searchsorted(levels, places), 1, max(len(levels) - 1, 1))
    if len(levels) == 1:
        return np.full_like(places, levels[0])
    low, high = levels[above - 1], levels[above]
    return np.where(places - low < high - places, low, high)
