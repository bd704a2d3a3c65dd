"""Sobol search: a scrambled low-discrepancy sequence, which covers the box more evenly than chance does."""

from service.domain.space import Scalar, Space
from service.registry import PartSettings
from service.search.base import Answer, Question
from service.search.random import generator


class SobolSettings(PartSettings):
    """Sobol search has nothing to set."""


class SobolSearch:
    """Each trial has the point of its number, so that what is asked in parts is what is asked at once."""

    name = "sobol"
    description = "Takes the points of a scrambled Sobol sequence, on the log scale where a range has one."
    Settings = SobolSettings
    instant = True
    looks_back = False

    def suggest(self, question: Question, settings: SobolSettings, count: int) -> Answer:  # noqa: ARG002
        # Imported where it is used: a server that never asks for it starts sooner.
        from scipy.stats import qmc

        names = sorted(question.space.parameters)
        sequence = qmc.Sobol(len(names), scramble=True, rng=generator(question.seed, 0))
        if question.number:
            sequence.fast_forward(question.number)
        # One by one: it warns of numbers that are no power of 2, and a study goes on to any number.
        units = [sequence.random(1)[0].tolist() for _ in range(count)]
        points = [_at(question.space, names, unit) for unit in units]
        return Answer(tuple(points), question.position + count)

    def capacity(self, space: Space, settings: SobolSettings, planned: int) -> int | None:  # noqa: ARG002
        return None

    def faults(self, space: Space, settings: SobolSettings) -> list[tuple[str, str]]:  # noqa: ARG002
        return []


def _at(space: Space, names: list[str], unit: list[float]) -> dict[str, Scalar]:
    return space.decode(dict(zip(names, unit, strict=True)))


ALGORITHM = SobolSearch()
