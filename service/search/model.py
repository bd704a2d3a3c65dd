"""A Gaussian process of a study's trials, and the points that it would try next."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from service.domain.space import Params, Scalar
from service.search.acquisition import Promise
from service.search.axes import Floats
from service.search.base import Question
from service.search.evidence import Evidence
from service.search.features import Features
from service.search.gaussian import Process
from service.search.lattice import every_point
from service.search.proposal import Landscape, Region
from service.search.random import point_at

MOST_LISTED = 2_000
MOST_PENDING = 100
LEADING = 8
BESIDE = 0.03
MOST_BETWEEN_FITS = 64
FITS_PER_DOUBLING = 8


def last_fit(finished: int) -> int:
    """How many of the finished trials the last fit has seen: every one of the first, then ever fewer."""
    seen = 1
    while (after := seen + min(max(1, seen // FITS_PER_DOUBLING), MOST_BETWEEN_FITS)) <= finished:
        seen = after
    return seen


@dataclass(frozen=True)
class Model:
    """What is expected everywhere in the box.

    Lengths, scale and noise come from the history as it was at the last fit, and so from nothing
    but the question; all that has finished since is known to the process without another fit.
    """

    question: Question
    features: Features
    process: Process
    scores: Floats
    best: float
    """The highest expectation at a point that was tried: a result by itself may be luck."""
    incumbents: Floats
    """The places of the points that are expected to be the best."""

    @classmethod
    def of(cls, question: Question) -> Self:
        end = last_fit(len(question.history))
        early = Evidence.of(question.history[:end], question.goal).most_telling()
        evidence = early + Evidence.of(question.history[end:], question.goal)
        features = Features.spanning(question.space, [*evidence.params, *question.pending])
        known = features.rows(evidence.params)
        fitted = Process.fitted(known[: len(early.params)], features.groups, early.scores)
        process = fitted.with_points(known[len(early.params) :]).with_scores(evidence.scores)
        means = process.predict(known)[0]
        leading = [evidence.params[place] for place in np.argsort(-means, kind="stable")[:LEADING]]
        places = [[question.space.encode(params)[name] for name in features.axes] for params in leading]
        return cls(question, features, process, evidence.scores, float(means.max()), np.clip(places, 0.0, 1.0))

    def ranked(
        self, unfinished: Sequence[Params], promise: Promise, candidates: int, chance: np.random.Generator
    ) -> Iterator[dict[str, Scalar]]:
        """Points, the most promising first."""
        space, process = self.question.space, self._believing(unfinished[-MOST_PENDING:])
        whole = every_point(space)
        if whole is not None and whole.size <= MOST_LISTED:
            points = list(whole.walk())
            heights = promise.of(*process.predict(self.features.rows(points)))
            yield from (points[place] for place in np.argsort(-heights, kind="stable"))
            return
        landscape = Landscape(self.features, process, promise, self._region(len(unfinished)))
        running = self.features.rows(unfinished)
        beside: list[Floats] = []
        for place in landscape.ranked(self.incumbents, candidates, chance):
            if not unfinished or process.distances(self.features.columns(place[np.newaxis]), running).min() > BESIDE:
                yield point_at(space, place.tolist())
            else:
                beside.append(place)
        # What lies beside a point that runs is still better than nothing.
        yield from (point_at(space, place.tolist()) for place in beside)

    def _region(self, unfinished: int) -> Region:
        """Every other time near the best point, where the model knows the most.

        Where nothing is known improvement is expected at the ends of ranges most of all, and with
        a few parameters there are more of those than trials.
        """
        if (len(self.question.history) + unfinished) % 2:
            return Region.around(self.incumbents[0], self.features, self.process)
        return Region.everywhere(len(self.features.axes))

    def _believing(self, unfinished: Sequence[Params]) -> Process:
        """The process to which every unfinished trial has ended as it expects."""
        if not unfinished:
            return self.process
        rows = self.features.rows(unfinished)
        scores = np.concatenate([self.scores, self.process.predict(rows)[0]])
        return self.process.with_points(rows).with_scores(scores)
