"""A Gaussian process of a study's trials, and the points that it would try next."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Self

import numpy as np

from service.domain.space import Params, Scalar
from service.search.acquisition import Promise
from service.search.axes import Floats
from service.search.base import Question
from service.search.branches import Branch, other_branches
from service.search.evidence import Evidence
from service.search.features import Features
from service.search.gaussian import Process
from service.search.lattice import every_point
from service.search.proposal import Landscape, Region
from service.search.random import point_at
from service.search.tried import Tried

MOST_LISTED = 2_000
MOST_PENDING = 100
BESIDE = 0.03
LEAST_GAIN = 1e-3
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
    tried: Tried

    @property
    def best(self) -> float:
        return self.tried.best

    @classmethod
    def of(cls, question: Question) -> Self:
        end = last_fit(len(question.history))
        early = Evidence.of(question.history[:end], question.goal).most_telling()
        evidence = early + Evidence.of(question.history[end:], question.goal)
        features = Features.spanning(question.space, [*evidence.params, *question.pending])
        known = features.rows(evidence.params)
        fitted = Process.fitted(known[: len(early.params)], features.groups, early.scores)
        process = fitted.with_points(known[len(early.params) :]).with_scores(evidence.scores)
        tried = Tried(features, evidence.params, known, process.predict(known)[0])
        return cls(question, features, process, evidence.scores, tried)

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
        turn = len(self.question.history) + len(unfinished)
        running = self.features.rows(unfinished)
        beside: list[Floats] = []
        for place in self._sought(turn, process, promise, candidates, chance):
            if not unfinished or process.distances(self.features.columns(place[np.newaxis]), running).min() > BESIDE:
                yield point_at(space, place.tolist())
            else:
                beside.append(place)
        # What lies beside a point that runs is still better than nothing.
        yield from (point_at(space, place.tolist()) for place in beside)

    def _sought(
        self, turn: int, process: Process, promise: Promise, candidates: int, chance: np.random.Generator
    ) -> Iterator[Floats]:
        """Every other time near the best point, where the model knows the most.

        Where nothing is known improvement is expected at the ends of ranges most of all, and with
        a few parameters there are more of those than trials. When little is left to gain near the
        best point, its turn goes to another choice.
        """
        near = Region.around(self.tried.leaders[0], self.features, self.process)
        region = near if turn % 2 else Region.everywhere(len(self.features.axes))
        places = Landscape(self.features, process, promise, region).ranked(self.tried.leaders, candidates, chance)
        branches = other_branches(self.features, self.tried.leaders[0]) if turn % 2 else []
        if branches:
            first = next(places)
            places = chain([first], places)
            if self._gain(process, promise, first) < LEAST_GAIN:
                branch = branches[turn // 2 % len(branches)]
                yield from self._sought_in(branch, process, promise, candidates, chance)
        yield from places

    def _sought_in(
        self, branch: Branch, process: Process, promise: Promise, candidates: int, chance: np.random.Generator
    ) -> Iterator[Floats]:
        """Where one choice is made, what would improve on the best of that choice.

        It is judged by how it began: where its good region is small that is far behind the best of
        all, and against that nothing would be expected of it any more.
        """
        tried = self.tried.of(branch)
        region = branch.around(self.features, self.tried.leaders[0])
        landscape = Landscape(self.features, process, replace(promise, best=tried.best), region)
        yield from landscape.ranked(region.clipped(tried.leaders), candidates, chance)

    def _gain(self, process: Process, promise: Promise, place: Floats) -> float:
        """The improvement that is expected at a place, in deviations."""
        expected = replace(promise, acquisition="EI")
        return float(np.exp(expected.of(*process.predict(self.features.columns(place[np.newaxis])))[0]))

    def _believing(self, unfinished: Sequence[Params]) -> Process:
        """The process to which every unfinished trial has ended as it expects."""
        if not unfinished:
            return self.process
        rows = self.features.rows(unfinished)
        scores = np.concatenate([self.scores, self.process.predict(rows)[0]])
        return self.process.with_points(rows).with_scores(scores)
