"""Grid search: a few values of each parameter in every combination, each found from its place in the order."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, TypeAlias

from pydantic import Field

from service.domain.space import Categorical, Scalar, Space, key_of
from service.registry import PartSettings
from service.search.base import Answer, Question
from service.search.blocks import independent_parts
from service.search.lattice import Lattice
from service.search.levels import most_levels

Levels: TypeAlias = Annotated[int, Field(ge=1, le=10_000_000)]


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
        fixed, free = _fixed(space, settings), _free(space, settings)
        if any(space.parameters[name].count is None for name in free):
            return None
        levels = fixed | {name: most_levels(space.parameters[name]) for name in free}
        return Lattice.over(independent_parts(space), levels).size

    def faults(self, space: Space, settings: GridSettings) -> list[tuple[str, str]]:
        told = settings.levels if isinstance(settings.levels, dict) else {}
        unknown = [name for name in told if name not in space.parameters]
        categorical = [name for name in told if isinstance(space.parameters.get(name), Categorical)]
        known = ", ".join(
            name for name, parameter in space.parameters.items() if not isinstance(parameter, Categorical)
        )
        return [
            (f"levels.{name}", f"is no parameter of the space; levels can be set for: {known}") for name in unknown
        ] + [(f"levels.{name}", "is categorical and always has all its choices; leave it out") for name in categorical]


def _walk(space: Space, settings: GridSettings, planned: int, position: int) -> Iterator[dict[str, Scalar]]:
    for lattice in _lattices(space, settings, planned):
        yield from lattice.walk(position)
        position = max(position - lattice.size, 0)


def _lattices(space: Space, settings: GridSettings, planned: int) -> Iterator[Lattice]:
    """The grid for the planned trials, then grids of at least twice as many points while there are any."""
    parts, wanted = independent_parts(space), max(planned, 1)
    fixed, most = (
        _fixed(space, settings),
        {name: most_levels(space.parameters[name]) for name in _free(space, settings)},
    )
    levels: Mapping[str, int] = {}
    while levels != (levels := _fewest(parts, fixed, most, wanted)):
        lattice = Lattice.over(parts, levels)
        yield lattice
        wanted = 2 * lattice.size


def _fewest(parts: Sequence[Space], fixed: Mapping[str, int], most: Mapping[str, int], wanted: int) -> dict[str, int]:
    """The fewest levels, the same for all but for one, that make as many points as wanted."""
    order = sorted(most)

    def shared(extra: int) -> dict[str, int]:
        each, rest = divmod(extra, len(order) or 1)
        return {**fixed, **{name: min(most[name], 1 + each + (i < rest)) for i, name in enumerate(order)}}

    enough = range(len(order) * wanted)
    return shared(bisect_left(enough, wanted, key=lambda extra: Lattice.over(parts, shared(extra)).size))


def _fixed(space: Space, settings: GridSettings) -> dict[str, int]:
    free = set(_free(space, settings))
    told = settings.levels
    return {
        name: most_levels(parameter)
        if isinstance(parameter, Categorical)
        else min(most_levels(parameter), told[name] if isinstance(told, dict) else told or 1)
        for name, parameter in space.parameters.items()
        if name not in free
    }


def _free(space: Space, settings: GridSettings) -> list[str]:
    told = settings.levels
    numeric = [name for name, parameter in space.parameters.items() if not isinstance(parameter, Categorical)]
    return [name for name in numeric if told is None or (isinstance(told, dict) and name not in told)]


ALGORITHM = GridSearch()
