"""Grids over a space, each at least twice as fine as the one before it."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from service.domain.space import Categorical, Parameter, Scalar, Space
from service.search.blocks import independent_parts
from service.search.lattice import Lattice
from service.search.levels import most_levels

Told: TypeAlias = int | Mapping[str, int] | None
"""How many levels the numeric parameters have, where somebody has said so."""
Extents: TypeAlias = Mapping[str, tuple[int, int]]


def walk(space: Space, levels: Told, planned: int, position: int) -> Iterator[dict[str, Scalar]]:
    """The points from a position on: of the grid that the planned trials fill, then of ever finer ones."""
    for lattice in _lattices(space, levels, planned):
        yield from lattice.walk(position)
        position = max(position - lattice.size, 0)


def _lattices(space: Space, levels: Told, planned: int) -> Iterator[Lattice]:
    """The grid for the planned trials, then grids of at least twice as many points while there are any."""
    parts, extents, wanted = independent_parts(space), extents_of(space, levels), max(planned, 1)
    laid: Mapping[str, int] = {}
    while laid != (laid := _fewest(space, parts, extents, wanted)):
        lattice = Lattice.over(space.parameters, parts, laid)
        yield lattice
        wanted = 2 * lattice.size


def _fewest(space: Space, parts: Sequence[Space], extents: Extents, wanted: int) -> dict[str, int]:
    """The fewest levels, as equal as can be, that make as many points as wanted."""
    free = sorted(name for name, (least, most) in extents.items() if least < most)

    def shared(extra: int) -> dict[str, int]:
        each, rest = divmod(extra, len(free) or 1)
        more = {name: each + (place < rest) for place, name in enumerate(free)}
        return {name: min(most, least + more.get(name, 0)) for name, (least, most) in extents.items()}

    def size(extra: int) -> int:
        return Lattice.over(space.parameters, parts, shared(extra)).size

    return shared(bisect_left(range(len(free) * wanted), wanted, key=size))


def extents_of(space: Space, levels: Told) -> Extents:
    """The fewest and the most levels of every parameter."""
    return {name: _extent(name, parameter, levels) for name, parameter in space.parameters.items()}


def _extent(name: str, parameter: Parameter, told: Told) -> tuple[int, int]:
    most = most_levels(parameter)
    levels = told.get(name) if isinstance(told, Mapping) else told
    if isinstance(parameter, Categorical):
        return most, most
    return (1, most) if levels is None else (min(levels, most), min(levels, most))
