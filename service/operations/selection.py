"""Which finished trials of a study a narrowing looks at: all, or of very many so few that nobody waits long for it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from service.domain.rounds import RangeEvidence
from service.domain.status import FINISHED, Purpose
from service.domain.study import Study
from service.domain.trial import Observation
from service.narrowing.base import Demand
from service.storage.store import Store

MOST = 1_000
MOST_NUMBERS = 100_000
"""With more than a hundred parameters, so many values of them."""
SPARSEST = 10
"""Of so many numbers in a row at least one is taken to be of a finished trial: others wait, or were cancelled."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The trials, and a sentence that says which they are, where they are not all."""

    trials: Sequence[Observation]
    which: str | None = None

    def told(self, evidence: RangeEvidence) -> RangeEvidence:
        """The evidence, with what it rests on."""
        return evidence if self.which is None else replace(evidence, reason=f"{evidence.reason} {self.which}")


def selected(store: Store, study: Study, demand: Demand, parameters: int) -> Selection:
    """All that have finished, up to a number; beyond it the best, or an even draw."""
    counts = store.studies.counts(study.id, Purpose.SEARCH)
    finished = sum(counts.get(status, 0) for status in FINISHED)
    most = max(demand.trials, min(MOST, MOST_NUMBERS // parameters))
    if finished <= most:
        return Selection(store.trials.observations(study.id))
    return (_best if demand.best else _drawn)(store, study, finished, most)


def _best(store: Store, study: Study, finished: int, most: int) -> Selection:
    """Of all, and of the round in force, whose trials lie in the box in force if no others do."""
    goal = study.spec.metric.goal
    found = store.trials.best_observations(study.id, goal, most)
    known = {one.number for one in found}
    of_round = store.trials.best_observations(study.id, goal, most, study.round)
    others = [one for one in of_round if one.number not in known]
    more = ", and of those of the round in force" if others else ""
    return Selection(found + others, f"This rests on the best {most:,} of the {finished:,} finished trials{more}.")


def _drawn(store: Store, study: Study, finished: int, most: int) -> Selection:
    """Whatever their values: those that are good by luck would be taken for more than luck."""
    end = store.trials.highest_finished(study.id) + 1
    first = store.trials.first_finished(study.id, study.round)
    start = end if first is None else first
    if end - finished > most // 10 and finished <= SPARSEST * most:
        trials = _of_all(store, study, most, start)
    else:
        trials = _by_number(store, study, finished, most, start, end)
    here = sum(one.round == study.round for one in trials)
    whose = f": {here:,} of the round in force and {len(trials) - here:,} others" if here < len(trials) else ""
    which = f"This rests on {len(trials):,} of the {finished:,} finished trials{whose}, drawn evenly by number."
    return Selection(trials, which)


def _by_number(store: Store, study: Study, finished: int, most: int, first: int, end: int) -> Sequence[Observation]:
    """Of numbers drawn before it is known which have finished."""
    # Not every number has a result.
    numbers = drawn_numbers(first, end, math.ceil(most * min(max(end / finished, 1.0), SPARSEST)))
    found = store.trials.finished_of(study.id, numbers)
    return [found[place] for place in evenly(0, len(found), most)]


def _of_all(store: Store, study: Study, most: int, first: int) -> Sequence[Observation]:
    """Of all that have finished, where many numbers drawn by themselves would be of none, and these are few enough."""
    found = sorted(store.trials.observations(study.id), key=lambda one: one.number)
    places = drawn_numbers(sum(one.number < first for one in found), len(found), most)
    return [found[place] for place in places]


def drawn_numbers(first: int, end: int, count: int) -> list[int]:
    """So many of the numbers from 0 to an end, at least half from the first of the round in force on."""
    recent = min(end - first, max(count // 2, count - first))
    return [*evenly(0, first, count - recent), *evenly(first, end, recent)]


def evenly(start: int, end: int, count: int) -> list[int]:
    """So many whole numbers from a start to before an end, or all of them, as far apart as each other."""
    count = min(count, end - start)
    return [start + (2 * place + 1) * (end - start) // (2 * count) for place in range(count)]
