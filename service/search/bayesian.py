"""Bayesian search: where a Gaussian process, fitted to all that is known, promises the most."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import numpy as np
from pydantic import Field

from service.domain.space import Params, Scalar, Space, key_of
from service.registry import PartSettings
from service.search.base import Answer, Question
from service.search.evidence import Evidence
from service.search.features import Features
from service.search.gaussian import Acquisition, Floats, Process, promise
from service.search.lattice import every_point
from service.search.random import draw, generator, point_at

Point: TypeAlias = dict[str, Scalar]

MOST_PENDING = 100
MOST_LISTED = 2_000
LEADING = 8
NEIGHBOURS = 16
CLOSER = (0.1, 0.03, 0.01)
TRIES = 100


class BayesianSettings(PartSettings):
    """How a next point is chosen: by expected improvement (EI), its probability (PI) or an optimistic bound (LCB)."""

    initial: Annotated[int, Field(ge=1, le=10_000, description="random points before the model chooses")] = 10
    acquisition: Acquisition = "EI"
    xi: Annotated[float, Field(ge=0, le=10, description="EI, PI: the least gain that counts, in deviations")] = 0.01
    kappa: Annotated[float, Field(ge=0, le=100, description="LCB: deviations above the mean")] = 1.96
    candidates: Annotated[int, Field(ge=10, le=20_000, description="random points that are compared")] = 1_000


class BayesianSearch:
    name = "bayesian"
    description = "Models the metric with a Gaussian process and tries where it promises the most; never a point twice."
    Settings = BayesianSettings
    instant = False
    looks_back = True

    def suggest(self, question: Question, settings: BayesianSettings, count: int) -> Answer:
        evidence = Evidence.of(question.history, question.goal)
        started = len(question.history) + len(question.pending)
        chosen: dict[str, Point] = {}
        model: _Model | None = None
        for number in range(question.number, question.number + count):
            chance = generator(question.seed, number)
            if not evidence.params or started + len(chosen) < settings.initial:
                ranked: Iterable[Point] = (draw(question.space, chance) for _ in range(TRIES))
            else:
                model = model or _Model.of(question, evidence, settings)
                ranked = model.ranked([*question.pending[-MOST_PENDING:], *chosen.values()], chance)
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


def _first_new(question: Question, chosen: dict[str, Point], ranked: Iterable[Point]) -> Point | None:
    """The first point that was not tried; where all were, any other point of a space that can be listed."""

    def is_new(point: Point) -> bool:
        return (key := key_of(point)) not in chosen and key not in question.taken

    found = next(filter(is_new, ranked), None)
    if found is None and (whole := every_point(question.space)):
        return next(filter(is_new, whole.walk()), None)
    return found


@dataclass(frozen=True)
class _Model:
    space: Space
    settings: BayesianSettings
    features: Features
    process: Process
    known: Floats
    values: Floats
    incumbents: Sequence[Params]

    @classmethod
    def of(cls, question: Question, evidence: Evidence, settings: BayesianSettings) -> "_Model":
        features = Features.spanning(question.space, [*evidence.params, *question.pending])
        known, values = features.rows(evidence.params), np.array(evidence.scores)
        process = Process.fitted(known, values)
        best = np.argsort(-values, kind="stable")[:LEADING]
        return cls(
            question.space, settings, features, process, known, values, [evidence.params[place] for place in best]
        )

    def ranked(self, unfinished: Sequence[Params], chance: np.random.Generator) -> list[Point]:
        """Points that the model has compared, the most promising first."""
        weigh = self._weighing(unfinished)
        whole = every_point(self.space)
        if whole is not None and whole.size <= MOST_LISTED:
            points = list(whole.walk())
            return [points[place] for place in np.argsort(-weigh(points), kind="stable")]
        return self._searched(weigh, chance)

    def _weighing(self, unfinished: Sequence[Params]) -> Callable[[Sequence[Params]], Floats]:
        """The acquisition, with every unfinished trial taken to end at the mean of all.

        The mean draws no crowd to a point whose value nobody knows yet, as the best value would,
        and does not write off what lies around it, as the worst would.
        """
        process, settings = self.process, self.settings
        best = float(process.predict(self.known)[0].max())
        if unfinished:
            rows = np.vstack([self.known, self.features.rows(unfinished)])
            process = process.knowing(rows, np.concatenate([self.values, np.zeros(len(unfinished))]))

        def weigh(points: Sequence[Params]) -> Floats:
            mean, deviation = process.predict(self.features.rows(points))
            return promise(settings.acquisition, mean, deviation, best, settings.xi, settings.kappa)

        return weigh

    def _searched(self, weigh: Callable[[Sequence[Params]], Floats], chance: np.random.Generator) -> list[Point]:
        """The best of many random points and of their neighbours, looked for ever closer around the best."""
        names = sorted(self.space.parameters)

        def decoded(units: Floats) -> list[Point]:
            return [point_at(self.space, row) for row in units.tolist()]

        around = [[self.space.encode(params)[name] for name in names] for params in self.incumbents]
        units = np.vstack([chance.random((self.settings.candidates, len(names))), np.clip(around, 0.0, 1.0)])
        points = decoded(units)
        weights = weigh(points)
        for radius in CLOSER:
            leading = units[np.argsort(-weights, kind="stable")[:LEADING]].repeat(NEIGHBOURS, axis=0)
            nearer = np.clip(leading + radius * chance.standard_normal(leading.shape), 0.0, 1.0)
            units, points = np.vstack([units, nearer]), points + decoded(nearer)
            weights = np.concatenate([weights, weigh(points[-len(nearer) :])])
        return [points[place] for place in np.argsort(-weights, kind="stable")]


ALGORITHM = BayesianSearch()
