"""Grids near the best of earlier trials: where each lies, and what is tried before the first."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from service.domain.space import Categorical, Parameter, Params, Space, identity
from service.domain.surroundings import best_first, surroundings
from service.domain.trial import Observation
from service.registry import PartSettings
from service.search.base import Answer, Question
from service.search.finer import walk
from service.search.random import draw, generator
from service.search.untried import Point, first_untried

DRAWS = 100


class Around(PartSettings):
    """Random points first, then one grid after the other, each in the box of the best completed trials."""

    random: Annotated[int, Field(ge=1, le=10_000, description="trials, of any origin, before the first grid")] = 20
    every: Annotated[int, Field(ge=1, le=10_000, description="trials that a grid is for, and the next is laid")] = 25
    top: Annotated[int, Field(ge=1, le=10_000, description="how many trials lead")] = 5
    margin: Annotated[float, Field(ge=0, le=10, description="room around them, in widths of their box")] = 0.1

    def begin(self, number: int) -> int:
        """The first number of the grid that a trial belongs to."""
        return number - (number - self.random) % self.every

    def faults(self) -> list[tuple[str, str]]:
        if self.top <= self.random:
            return []
        return [("top", f"must not be above random, {self.random}: the first grid is laid around the best of those")]


def suggest_near_leaders(question: Question, around: Around, count: int) -> Answer:
    """Points of the grids that the trials of these numbers belong to; random ones where no grid has any left."""
    ranked = best_first(question.space, question.history, question.goal)

    def propose(number: int, _: object) -> Iterator[Point]:
        if ranked and number >= around.random:
            leaders = [seen.params for seen in leading(ranked, around, number)]
            yield from walk(box_around(question.space, leaders, around.margin), None, around.every, 0)
        chance = generator(question.seed, number)
        yield from (draw(question.space, chance) for _ in range(DRAWS))

    return first_untried(question, count, propose)


def leading(ranked: Sequence[Observation], around: Around, number: int) -> Sequence[Observation]:
    """The leaders when the grid of a trial was laid, out of all that lie in the box, best first.

    It is laid when the one before it is used up, and whenever a trial becomes the best.
    """
    laid = max(around.begin(number), ranked[0].number + 1)
    return [seen for seen in ranked if seen.number < laid][: around.top]


def box_around(space: Space, points: Sequence[Params], margin: float) -> Space:
    """The part of a space around some of its points; a parameter that none of them uses keeps its range."""
    return space.with_ranges({name: _around(name, one, points, margin) for name, one in space.parameters.items()})


def _around(name: str, parameter: Parameter, points: Sequence[Params], margin: float) -> Parameter:
    values = [point[name] for point in points if name in point]
    if not values:
        return parameter
    if isinstance(parameter, Categorical):
        used = {identity(value) for value in values}
        return replace(parameter, choices=[choice for choice in parameter.choices if identity(choice) in used])
    low, high = surroundings(parameter, [float(value) for value in values], margin)
    return parameter.within(low, high)
