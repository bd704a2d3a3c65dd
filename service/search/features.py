"""Points as the rows of numbers that a model compares."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from service.domain.space import Params, Space
from service.search.axes import Axis, Flags, Floats, axis_of

Places: TypeAlias = NDArray[np.intp]


@dataclass(frozen=True)
class Features:
    """Numbers at their place in the box in force, choices as one column each.

    Columns come from finished points by their values and from candidates by their place in the
    unit cube: to decode a thousand candidates one by one would take longer than to compare them.
    """

    space: Space
    axes: dict[str, Axis]
    """By sorted names, in which order the unit cube has its coordinates too."""

    @classmethod
    def spanning(cls, space: Space, others: Sequence[Params]) -> Self:
        """Those of a box and of other points."""
        return cls(space, {name: axis_of(name, space.parameters[name], others) for name in sorted(space.parameters)})

    @cached_property
    def groups(self) -> Places:
        """The number of the parameter behind each column."""
        return np.repeat(np.arange(len(self.axes)), [axis.width for axis in self.axes.values()])

    @cached_property
    def smooth(self) -> Places:
        """The numbers of the parameters along which a gradient can be followed."""
        return np.flatnonzero([axis.smooth for axis in self.axes.values()])

    @cached_property
    def smooth_columns(self) -> Places:
        return np.searchsorted(self.groups, self.smooth)

    def rows(self, points: Sequence[Params]) -> Floats:
        """The columns of points by their values, of which those not told are inactive."""
        told = [axis.of_values([point.get(name) for point in points]) for name, axis in self.axes.items()]
        return np.hstack(told).reshape(len(points), len(self.groups))

    def columns(self, units: Floats) -> Floats:
        """The columns of points by their place in the unit cube, each snapped to the values that there are."""
        active = self.active(units).T
        every = zip(self.axes.values(), units.T, active, strict=True)
        return np.hstack([axis.of_units(places, flags) for axis, places, flags in every])

    def active(self, units: Floats) -> Flags:
        """Which parameters have a say at each point of the unit cube."""
        flags: dict[str, Flags] = {}
        places = dict(zip(self.axes, units.T, strict=True))
        for name in self.space.order:
            flags[name] = np.ones(len(units), dtype=np.bool_)
            for other, wanted in (self.space.parameters[name].when or {}).items():
                axis, parameter = self.axes[other], self.space.parameters[other]
                steps = [axis.step_of(value) for value in wanted if parameter.fault(value) is None]
                flags[name] &= flags[other] & np.isin(axis.steps(places[other]), steps)
        return np.column_stack([flags[name] for name in self.axes])
