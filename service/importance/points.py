"""Points as columns of the unit cube: one for a number's place on its scale, one for each choice."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from service.domain.space import Categorical, Parameter, Params, Scalar, Space

Floats: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.float32]
Numbers: TypeAlias = NDArray[np.intp]
Mask: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class Group:
    """The columns of one parameter, and which points use it."""

    start: int
    width: int
    used: Mask
    is_choice: bool

    @property
    def columns(self) -> slice:
        return slice(self.start, self.start + self.width)


@dataclass(frozen=True)
class Points:
    """Points with the columns of each parameter; values beyond a range count as its end.

    Where a parameter is not active it gets a value drawn from the points that use it: so its
    columns do not tell whether it was active, which is the doing of the parameter it depends on.
    """

    rows: Rows
    groups: dict[str, Group]

    @classmethod
    def of(cls, space: Space, points: Sequence[Params], random: np.random.Generator) -> Self:
        groups: dict[str, Group] = {}
        blocks: list[Floats] = []
        start = 0
        for name in sorted(space.parameters):
            parameter = space.parameters[name]
            used = np.array([name in point for point in points], dtype=np.bool_)
            blocks.append(_block(parameter, [point[name] for point in points if name in point], used, random))
            groups[name] = Group(start, _width(parameter), used, isinstance(parameter, Categorical))
            start += _width(parameter)
        # Trees compare in single precision.
        return cls(np.hstack(blocks).astype(np.float32), groups)

    def distances(self, name: str | None = None) -> Floats:
        """The squared distance of each pair, or what one parameter adds to it: two choices are one unit apart."""
        chosen = self.groups.values() if name is None else (self.groups[name],)
        scaled = np.hstack([self.rows[:, one.columns] * (0.5**0.5 if one.is_choice else 1.0) for one in chosen])
        exact = scaled.astype(np.float64)
        square = np.square(exact).sum(axis=1)
        return np.asarray(square[:, None] + square - 2 * (exact @ exact.T), dtype=np.float64)


def columns_of(space: Space) -> int:
    """How many columns the points of a space have."""
    return sum(_width(parameter) for parameter in space.parameters.values())


def _block(parameter: Parameter, values: Sequence[Scalar], used: Mask, random: np.random.Generator) -> Floats:
    block = np.zeros((len(used), _width(parameter)))
    if values:
        told = np.array([_row(parameter, value) for value in values], dtype=np.float64)
        block[used] = told
        block[~used] = told[random.integers(len(told), size=np.count_nonzero(~used))]
    return block


def _row(parameter: Parameter, value: Scalar) -> list[float]:
    if isinstance(parameter, Categorical):
        place = parameter.index(value)
        return [float(place == choice) for choice in range(parameter.count)]
    return [min(max(parameter.to_unit(value), 0.0), 1.0)]


def _width(parameter: Parameter) -> int:
    return parameter.count if isinstance(parameter, Categorical) else 1
