"""Bayesian search: where a Gaussian process, fitted to all that is known, promises the most."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Annotated, TypeAlias

from pydantic import Field

from service.domain.space import Scalar, Space, key_of
from service.domain.status import TrialStatus
from service.registry import PartSettings
from service.search.acquisition import Acquisition, Promise
from service.search.base import Answer, Question
from service.search.lattice import every_point
from service.search.model import Model
from service.search.random import draw, generator
from service.search.sobol import ALGORITHM as SOBOL
from service.search.sobol import SobolSettings

Point: TypeAlias = dict[str, Scalar]

TRIES = 100


class BayesianSettings(PartSettings):
    """How a next point is chosen: by expected improvement (EI), its probability (PI) or an optimistic bound (LCB)."""

    initial: Annotated[int, Field(ge=1, le=10_000, description="Sobol points before the model chooses")] = 8
    acquisition: Acquisition = "EI"
    xi: Annotated[float, Field(ge=0, le=10, description="EI, PI: the least gain that counts, in deviations")] = 0.0
    kappa: Annotated[float, Field(ge=0, le=100, description="LCB: deviations above the mean")] = 1.96
    candidates: Annotated[int, Field(ge=10, le=20_000, description="random points that are compared")] = 1_000


class BayesianSearch:
    name = "bayesian"
    description = "Models the metric with a Gaussian process and tries where it promises the most; never a point twice."
    Settings = BayesianSettings
    instant = False
    looks_back = True

    def suggest(self, question: Question, settings: BayesianSettings, count: int) -> Answer:
        chosen: dict[str, Point] = {}
        model: Model | None = None
        knows_little = _knows_little(question, settings)
        for number in range(question.number, question.number + count):
            if knows_little:
                ranked = _spread(replace(question, number=number))
            else:
                model = model or Model.of(question)
                promise = Promise(settings.acquisition, model.best, settings.xi, settings.kappa)
                unfinished = [*question.pending, *chosen.values()]
                ranked = model.ranked(unfinished, promise, settings.candidates, generator(question.seed, number))
            point = _first_new(question, chosen, ranked)
            if point is None:
                break
            chosen[key_of(point)] = point
        return Answer(tuple(chosen.values()), question.position + len(chosen))

    def capacity(self, space: Space, settings: BayesianSettings, planned: int) -> int | None:  # noqa: ARG002
        whole = every_point(space)
        return None if whole is None else whole.size

    def faults(self, space: Space, settings: BayesianSettings) -> list[tuple[str, str]]:  # noqa: ARG002
        return []


def _knows_little(question: Question, settings: BayesianSettings) -> bool:
    """Whether a model would have nothing, or too little, to go by; what is pending teaches it nothing yet."""
    has_value = any(seen.value is not None and seen.status is not TrialStatus.FAILED for seen in question.history)
    return not has_value or len(question.history) < settings.initial


def _spread(question: Question) -> Iterator[Point]:
    """The Sobol point of the number, and random ones in case it was tried."""
    yield from (dict(point) for point in SOBOL.suggest(question, SobolSettings(), 1).points)
    chance = generator(question.seed, question.number)
    yield from (draw(question.space, chance) for _ in range(TRIES))


def _first_new(question: Question, chosen: dict[str, Point], ranked: Iterable[Point]) -> Point | None:
    """The first point that was not tried; where all were, any other point of a space that can be listed."""

    def is_new(point: Point) -> bool:
        return (key := key_of(point)) not in chosen and key not in question.taken

    found = next(filter(is_new, ranked), None)
    if found is None and (whole := every_point(question.space)):
        return next(filter(is_new, whole.walk()), None)
    return found


ALGORITHM = BayesianSearch()
