"""Grid search: a few values of each parameter in every combination, each found from its place in the order."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, TypeAlias

from pydantic import Field

from service.domain.space import Categorical, Parameter, Scalar, Space, key_of
from service.registry import PartSettings
from service.search.base import Answer, Question
from service.search.blocks import independent_parts
from service.search.lattice import Lattice
from service.search.levels import most_levels

Levels: TypeAlias = Annotated[int, Field(ge=1, le=10_000_000)]
Extents: TypeAlias = Mapping[str, tuple[int, int]]


class GridSettings(PartSettings):
    """How many values each numeric parameter gets; those not told are spread over the planned trials.

    Categorical parameters always have all their choices.
    """

    levels: Levels | dict[str, Levels] | None = None


class GridSearch:
    """The smallest grid that the planned trials fill, and where they outlast it, ever finer ones."""

    name = "grid"
    description = "Tries every combination of a few values per parameter, in an order that covers the box evenly."
    Settings = GridSettings
    instant = True
    looks_back = False

    def suggest(self, question: Question, settings: GridSettings, count: int) -> Answer:
        points: dict[str, dict[str, Scalar]] = {}
        position = question.position
        for point in _walk(question.space, settings, question.planned, position):
            if len(points) == count:
                break
            position += 1
            key = key_of(point)
            if key not in question.taken:
                points.setdefault(key, point)
        return Answer(tuple(points.values()), position)

    def capacity(self, space: Space, settings: GridSettings, planned: int) -> int | None:  # noqa: ARG002
        extents = _extents(space, settings)
        if any(space.parameters[name].count is None and least < most for name, (least, most) in extents.items()):
            return None
        most_of_each = {name: most for name, (_, most) in extents.items()}
        return Lattice.over(space.parameters, independent_parts(space), most_of_each).size

    def faults(self, space: Space, settings: GridSettings) -> list[tuple[str, str]]:
        told = settings.levels if isinstance(settings.levels, dict) else {}
        return [(f"levels.{name}", fault) for name in told if (fault := _fault(name, space))]


def _fault(name: str, space: Space) -> str | None:
    if name not in space.parameters:
        return f"is no parameter of the space, whose parameters are: {', '.join(space.parameters)}"
    if isinstance(space.parameters[name], Categorical):
        return "is categorical and always has all its choices; leave it out"
    return None


def _walk(space: Space, settings: GridSettings, planned: int, position: int) -> Iterator[dict[str, Scalar]]:
    for lattice in _lattices(space, settings, planned):
        yield from lattice.walk(position)
        position = max(position - lattice.size, 0)


def _lattices(space: Space, settings: GridSettings, planned: int) -> Iterator[Lattice]:
    """The grid for the planned trials, then grids of at least twice as many points while there are any."""
    parts, extents, wanted = independent_parts(space), _extents(space, settings), max(planned, 1)
    levels: Mapping[str, int] = {}
    while levels != (levels := _fewest(space, parts, extents, wanted)):
        lattice = Lattice.over(space.parameters, parts, levels)
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


def _extents(space: Space, settings: GridSettings) -> Extents:
    return {name: _extent(name, parameter, settings.levels) for name, parameter in space.parameters.items()}


def _extent(name: str, parameter: Parameter, told: int | Mapping[str, int] | None) -> tuple[int, int]:
    """The fewest and the most levels that a parameter may have."""
    most = most_levels(parameter)
    levels = told.get(name) if isinstance(told, Mapping) else told
    if isinstance(parameter, Categorical):
        return most, most
    return (1, most) if levels is None else (min(levels, most), min(levels, most))


ALGORITHM = GridSearch()
