"""What finished trials tell a model: their points and one score each, of mean 0 and deviation 1."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Self

import numpy as np

from service.domain.space import Params
from service.domain.status import TrialStatus
from service.domain.trial import Goal, Observation
from service.search.axes import Floats
from service.search.warping import scores_of, standard

MOST_KNOWN = 256
BEST, LATEST = 96, 64
GOLDEN = 0.6180339887498949
BELOW = 0.1


@dataclass(frozen=True)
class Evidence:
    """Points and values, of which more is better.

    Failed trials have none. Pruned ones have the last that they reported: a completed run would
    have had about that or more, but it was stopped for lying behind the others, and so it does
    here; a guess at the rest of its curve would be worth less than what was measured.
    """

    params: tuple[Params, ...]
    values: Floats

    @classmethod
    def of(cls, history: Sequence[Observation], goal: Goal) -> Self:
        return cls(tuple(seen.params for seen in history), np.array([_value(seen, goal) for seen in history]))

    def __add__(self, later: Self) -> Self:
        return type(self)(self.params + later.params, np.concatenate([self.values, later.values]))

    @property
    def nothing(self) -> bool:
        return bool(np.isnan(self.values).all())

    @cached_property
    def scores(self) -> Floats:
        """Failed trials score a little below the worst that finished, whatever the values are."""
        failed = np.isnan(self.values)
        if self.nothing:
            return np.zeros(len(failed))
        finished = scores_of(self.values[~failed])
        scores = np.full(len(failed), finished.min() - BELOW)
        scores[~failed] = finished
        return standard(scores)

    def most_telling(self) -> Self:
        """The best, the latest, and of the others some from all times; all, while they are few."""
        count = len(self.params)
        if count <= MOST_KNOWN:
            return self
        # Failed trials, which are not a number, are sorted last.
        best = np.argsort(-self.values, kind="stable")[:BEST]
        # Of steps of the golden section, the smallest are those of places spread evenly.
        spread = np.argsort(np.arange(count) * GOLDEN % 1, kind="stable")
        inviting = [*best.tolist(), *range(count - LATEST, count), *spread.tolist()]
        kept = sorted(islice(dict.fromkeys(inviting), MOST_KNOWN))
        return type(self)(tuple(self.params[place] for place in kept), self.values[kept])


def _value(seen: Observation, goal: Goal) -> float:
    return np.nan if seen.value is None or seen.status is TrialStatus.FAILED else goal.better(seen.value)
