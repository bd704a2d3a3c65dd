"""Sobol search: a scrambled low-discrepancy sequence, which covers the box more evenly than chance does."""

from service.domain.space import Space
from service.registry import PartSettings
from service.search.base import Answer, Question
from service.search.random import generator, point_at


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

        sequence = qmc.Sobol(len(question.space.parameters), scramble=True, rng=generator(question.seed, 0))
        if question.number:
            sequence.fast_forward(question.number)
        # One by one: it warns of numbers that are no power of 2, and a study goes on to any number.
        rows = [sequence.random(1)[0].tolist() for _ in range(count)]
        return Answer(tuple(point_at(question.space, row) for row in rows), question.position + count)

    def capacity(self, space: Space, settings: SobolSettings, planned: int) -> int | None:  # noqa: ARG002
        return None

    def faults(self, space: Space, settings: SobolSettings) -> list[tuple[str, str]]:  # noqa: ARG002
        return []


ALGORITHM = SobolSearch()
