"""Grid search: a few values of each parameter in every combination, each found from its place in the order."""

from typing import Annotated, TypeAlias

from pydantic import Field

from service.domain.space import Categorical, Space, key_of
from service.registry import PartSettings
from service.search.base import Answer, Question
from service.search.blocks import independent_parts
from service.search.finer import extents_of, walk
from service.search.lattice import Lattice
from service.search.near import Around, suggest_near_leaders
from service.search.untried import Point, distinct_points

Levels: TypeAlias = Annotated[int, Field(ge=1, le=10_000_000)]


class GridSettings(PartSettings):
    """How many values each numeric parameter gets; those not told are spread over the planned trials.

    Categorical parameters always have all their choices. With `around` the grids lie near the best of earlier trials.
    """

    levels: Levels | dict[str, Levels] | None = None
    around: Around | None = None

    @property
    def looks_back(self) -> bool:
        return self.around is not None


class GridSearch:
    """The smallest grid that the planned trials fill, and where they outlast it, ever finer ones."""

    name = "grid"
    description = "Tries every combination of a few values per parameter, in an order that covers the box evenly."
    Settings = GridSettings
    instant = True
    looks_back = False

    def suggest(self, question: Question, settings: GridSettings, count: int) -> Answer:
        if settings.around is not None:
            return suggest_near_leaders(question, settings.around, count)
        points: dict[str, Point] = {}
        position = question.position
        for point in walk(question.space, settings.levels, question.planned, position):
            if len(points) == count:
                break
            position += 1
            key = key_of(point)
            if key not in question.taken:
                points.setdefault(key, point)
        return Answer(tuple(points.values()), position)

    def capacity(self, space: Space, settings: GridSettings, planned: int) -> int | None:  # noqa: ARG002
        if settings.around is not None:
            return distinct_points(space)
        extents = extents_of(space, settings.levels)
        if any(space.parameters[name].count is None and least < most for name, (least, most) in extents.items()):
            return None
        most_of_each = {name: most for name, (_, most) in extents.items()}
        return Lattice.over(space.parameters, independent_parts(space), most_of_each).size

    def faults(self, space: Space, settings: GridSettings) -> list[tuple[str, str]]:
        told = settings.levels if isinstance(settings.levels, dict) else {}
        wrong = [(f"levels.{name}", fault) for name in told if (fault := _fault(name, space))]
        return wrong + _around_faults(settings)


def _around_faults(settings: GridSettings) -> list[tuple[str, str]]:
    if settings.around is None:
        return []
    faults = [(f"around.{place}", sentence) for place, sentence in settings.around.faults()]
    if settings.levels is not None:
        faults.append(("levels", "are those of a grid over the whole box; leave them out, around.every decides"))
    return faults


def _fault(name: str, space: Space) -> str | None:
    if name not in space.parameters:
        return f"is no parameter of the space, whose parameters are: {', '.join(space.parameters)}"
    if isinstance(space.parameters[name], Categorical):
        return "is categorical and always has all its choices; leave it out"
    return None


ALGORITHM = GridSearch()
