"""Random search: each trial's point drawn uniformly on the scales of its ranges, from its number alone."""

from collections.abc import Sequence

import numpy as np

from service.domain.space import Scalar, Space
from service.registry import PartSettings
from service.search.base import Answer, Question


class RandomSettings(PartSettings):
    """Random search has nothing to set."""


class RandomSearch:
    name = "random"
    description = "Draws every point uniformly, on the log scale where a range has one."
    Settings = RandomSettings
    instant = True
    looks_back = False

    def suggest(self, question: Question, settings: RandomSettings, count: int) -> Answer:  # noqa: ARG002
        numbers = range(question.number, question.number + count)
        points = tuple(draw(question.space, generator(question.seed, number)) for number in numbers)
        return Answer(points, question.position + count)

    def capacity(self, space: Space, settings: RandomSettings, planned: int) -> int | None:  # noqa: ARG002
        return None

    def faults(self, space: Space, settings: RandomSettings) -> list[tuple[str, str]]:  # noqa: ARG002
        return []


def generator(seed: int, number: int) -> np.random.Generator:
    """The source of chance of one trial, which no other trial of the study shares."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, number))))


def draw(space: Space, chance: np.random.Generator) -> dict[str, Scalar]:
    """A uniform point."""
    return point_at(space, chance.random(len(space.parameters)).tolist())


def point_at(space: Space, row: Sequence[float]) -> dict[str, Scalar]:
    """The point at a row of the unit cube, by sorted names: the order in which the space was written is no matter."""
    return space.decode(dict(zip(sorted(space.parameters), row, strict=True)))


ALGORITHM = RandomSearch()
