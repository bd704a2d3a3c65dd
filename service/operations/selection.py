"""Which finished trials of a study a narrowing looks at: all, or of very many so few that nobody waits long for it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from service.domain.rounds import RangeEvidence
from service.domain.status import FINISHED, Purpose
from service.domain.study import Study
from service.domain.trial import Observation
from service.storage.store import Store
from service.storage.trial_lists import TrialFilter

MOST = 1_000
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


def selected(store: Store, study: Study, best: int | None) -> Selection:
    """All that have finished, up to a number; beyond it the best, for who wants so many of them, or an even draw."""
    counts = store.studies.counts(study.id, Purpose.SEARCH)
    finished = sum(counts.get(status, 0) for status in FINISHED)
    if finished <= MOST:
        return Selection(store.trials.observations(study.id))
    return _drawn(store, study, finished) if best is None else _best(store, study, finished, max(best, MOST))


def _best(store: Store, study: Study, finished: int, count: int) -> Selection:
    """Of all, and of the round in force, whose trials lie in the box in force if no others do."""
    goal = study.spec.metric.goal
    found = store.trials.best_observations(study.id, goal, count)
    known = {one.number for one in found}
    found += [
        one for one in store.trials.best_observations(study.id, goal, count, study.round) if one.number not in known
    ]
    more = ", and of those of the round in force" if len(found) > count else ""
    return Selection(found, f"This rests on the best {count:,} of the {finished:,} finished trials{more}.")


def _drawn(store: Store, study: Study, finished: int) -> Selection:
    """Whatever their values: those that are good by luck would be taken for more than luck."""
    last = store.trials.last_finished(study.id)
    of_round = store.trials.page(study.id, TrialFilter(round=study.round), "number", None, 1)
    first = min(of_round[0].number, last) if of_round else last
    numbers = drawn_numbers(first, last + 1, _needed(last + 1, finished))
    found = store.trials.finished_of(study.id, numbers)
    trials = [found[place] for place in evenly(0, len(found), MOST)]
    here = sum(one.round == study.round for one in trials)
    whose = f": {here:,} of the round in force and {len(trials) - here:,} others" if here < len(trials) else ""
    which = f"This rests on {len(trials):,} of the {finished:,} finished trials{whose}, drawn evenly by number."
    return Selection(trials, which)


def _needed(numbers: int, finished: int) -> int:
    """How many numbers are drawn so that about as many finished trials are met as can be looked at."""
    return math.ceil(MOST * min(max(numbers / finished, 1.0), SPARSEST))


def drawn_numbers(first: int, end: int, count: int) -> list[int]:
    """So many of the numbers from 0 to an end, at least half from the first of the round in force on."""
    recent = min(end - first, max(count // 2, count - first))
    return [*evenly(0, first, count - recent), *evenly(first, end, recent)]


def evenly(start: int, end: int, count: int) -> list[int]:
    """So many whole numbers from a start to before an end, or all of them, as far apart as each other."""
    count = min(count, end - start)
    return [start + (2 * place + 1) * (end - start) // (2 * count) for place in range(count)]
