"""Bayesian search: where a Gaussian process, fitted to all that is known, promises the most."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from service.domain.space import PointKey, Space
from service.domain.status import TrialStatus
from service.registry import PartSettings
from service.search.acquisition import Acquisition, Promise
from service.search.base import Answer, Question
from service.search.model import Model
from service.search.random import draw, generator
from service.search.sobol import ALGORITHM as SOBOL
from service.search.sobol import SobolSettings
from service.search.untried import Point, distinct_points, first_untried

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
        model = None if _knows_little(question, settings) else Model.of(question)

        def propose(number: int, chosen: Mapping[PointKey, Point]) -> Iterator[Point]:
            chance = generator(question.seed, number)
            if model is None:
                yield from SOBOL.suggest(replace(question, number=number), SobolSettings(), 1).points
            else:
                promise = Promise(settings.acquisition, model.best, settings.xi, settings.kappa)
                unfinished = [*question.pending, *chosen.values()]
                yield from model.ranked(unfinished, promise, settings.candidates, chance)
            # In case all of those were tried.
            yield from (draw(question.space, chance) for _ in range(TRIES))

        return first_untried(question, count, propose)

    def capacity(self, space: Space, settings: BayesianSettings, planned: int) -> int | None:  # noqa: ARG002
        return distinct_points(space)

    def faults(self, space: Space, settings: BayesianSettings) -> list[tuple[str, str]]:  # noqa: ARG002
        return []


def _knows_little(question: Question, settings: BayesianSettings) -> bool:
    """Whether a model would have nothing, or too little, to go by; what is pending teaches it nothing yet."""
    has_value = any(seen.value is not None and seen.status is not TrialStatus.FAILED for seen in question.history)
    return not has_value or len(question.history) < settings.initial


ALGORITHM = BayesianSearch()
