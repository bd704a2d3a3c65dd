"""Tells, without writing, which studies may have trials to give, and how many at most."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.domain.status import Purpose, StudyStatus, TrialStatus
from service.domain.study import Study
from service.operations.draw import searches_at_once
from service.storage.openings import Candidate
from service.storage.store import Store
from service.storage.workers import Terms

NO_BOUND = 2**63


@dataclass(slots=True)
class Opening:
    """What a study may have to give; a claim finds out whether it has."""

    study: str
    name: str
    objective: str
    trials: dict[Purpose, int]
    slots: int
    """How many more of its trials may run at once."""

    def take(self, terms: Terms, count: int) -> int:
        """Set aside at most `count` trials for a claim on these terms; returns how many."""
        if self.objective not in terms.objectives or terms.study not in (None, self.study, self.name):
            return 0
        left = count
        for purpose in terms.purposes:
            left -= self._take(purpose, left)
        return count - left

    def _take(self, purpose: Purpose, count: int) -> int:
        taken = min(count, self.trials[purpose], self.slots)
        self.trials[purpose] -= taken
        self.slots -= taken
        return taken


def find_openings(store: Store, objectives: Collection[str]) -> list[Opening]:
    """The openings for claims that name any of these objectives, oldest study first; never one too few."""
    candidates = store.openings.candidates(objectives)
    found = (_opening(one, store.now) for one in candidates)
    return [opening for opening in found if opening.slots > 0 and any(opening.trials.values())]


def first_served(openings: Sequence[Opening], claims: Iterable[tuple[Terms, int]]) -> Iterator[int]:
    """The places of those claims, in their order, for which there may be something."""
    in_vain: set[Terms] = set()
    for place, (terms, count) in enumerate(claims):
        if terms in in_vain:
            continue
        if _has_for(openings, terms, count):
            yield place
        else:
            in_vain.add(terms)


def _has_for(openings: Sequence[Opening], terms: Terms, count: int) -> bool:
    left = count
    for opening in openings:
        left -= opening.take(terms, left)
    return left < count


def _opening(candidate: Candidate, now: datetime) -> Opening:
    study, most = candidate.study, candidate.study.spec.max_parallel
    trials = {purpose: _waiting(candidate.counts, purpose) for purpose in Purpose}
    trials[Purpose.SEARCH] = trials[Purpose.SEARCH] + _drawable(study, now) if _searches(study, now) else 0
    slots = NO_BOUND if most is None else most - candidate.running
    return Opening(study.id, study.name, study.spec.objective.name, trials, slots)


def _waiting(counts: Mapping[tuple[Purpose, TrialStatus], int], purpose: Purpose) -> int:
    return counts.get((purpose, TrialStatus.WAITING), 0)


def _searches(study: Study, now: datetime) -> bool:
    return study.status is StudyStatus.RUNNING and study.over(now) is None


def _drawable(study: Study, now: datetime) -> int:
    if not study.draws or study.reached(now) is not None or not searches_at_once(study):
        return 0
    return NO_BOUND if study.room is None else study.room
