"""Trains the best trials of a study again with fresh seeds, and tells what came out."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from service.domain.confirmation import Repeats, Standing, standings
from service.domain.errors import ConfirmationDiffers, ConfirmationNotFound, Fault, InvalidInput, NothingToConfirm
from service.domain.ranking import interval_of
from service.domain.seeds import derived_seed
from service.domain.status import UNFINISHED, FailureReason, Purpose, TrialStatus
from service.domain.study import Study
from service.domain.trial import Trial
from service.operations.again import Again, is_completed_search, require_not_stopped, train_again
from service.storage.events import EventKind
from service.storage.store import Store

# All pairs are compared whenever somebody looks.
MOST_COMPARED = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """The best `count` trials, or those of these numbers, each trained again with so many seeds."""

    count: int
    seeds: int
    new_splits: bool
    numbers: Sequence[int] | None = None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A search trial, its repeats by number, and where it stands among the others."""

    source: Trial
    repeats: Sequence[Trial]
    standing: Standing


@dataclass(frozen=True, slots=True)
class Confirmation:
    """All repeats of a study's trials as they stand, the best trial first."""

    items: Sequence[Confirmed]

    @property
    def repeats(self) -> list[Trial]:
        return [trial for item in self.items for trial in item.repeats]

    @property
    def seeds(self) -> int:
        return len({trial.seed for trial in self.repeats})

    @property
    def new_splits(self) -> bool:
        return any(trial.split is not None for trial in self.repeats)

    @property
    def status(self) -> TrialStatus:
        """Waiting until a repeat is claimed, completed when none is left to run, running in between."""
        if not any(trial.status in UNFINISHED for trial in self.repeats):
            return TrialStatus.COMPLETED
        return TrialStatus.RUNNING if any(trial.leases for trial in self.repeats) else TrialStatus.WAITING


def confirm(store: Store, study_name: str, wanted: Wanted) -> Confirmation:
    """Add the repeats that are missing; none that is there is trained again."""
    study = store.studies.get(study_name, lock=True)
    require_not_stopped(study)
    there = store.trials.of_purpose(study.id, Purpose.CONFIRMATION)
    if there and wanted.new_splits != (there[0].split is not None):
        raise ConfirmationDiffers(new_splits=not wanted.new_splits)
    sources = _sources(store, study, wanted)
    _require_few({trial.source for trial in there} | {source.number for source in sources})
    missing = list(_missing(study, sources, wanted, there))
    if missing:
        train_again(store, study, Purpose.CONFIRMATION, missing)
        store.events.append(study.id, EventKind.CONFIRMATION, store.now)
    return confirmation_of(store, study)


def confirmation_of(store: Store, study: Study) -> Confirmation:
    """What the repeats say so far; raises ConfirmationNotFound where nobody has asked for any."""
    by_source: dict[int, list[Trial]] = {}
    for trial in store.trials.of_purpose(study.id, Purpose.CONFIRMATION):
        by_source.setdefault(trial.source or 0, []).append(trial)
    if not by_source:
        raise ConfirmationNotFound(study.name)
    sources = store.trials.numbered(study.id, list(by_source))
    ranked = standings([_repeats(number, trials) for number, trials in by_source.items()], study.spec.metric.goal)
    return Confirmation([Confirmed(sources[one.trial], by_source[one.trial], one) for one in ranked])


def _require_few(sources: Collection[int | None]) -> None:
    if len(sources) > MOST_COMPARED:
        raise InvalidInput.of("trials", f"makes {len(sources)} trials to compare; there may be {MOST_COMPARED} in all")


def _sources(store: Store, study: Study, wanted: Wanted) -> list[Trial]:
    if wanted.numbers is not None:
        return _named(store, study, wanted.numbers)
    best = store.trials.best(study.id, study.spec.metric.goal, wanted.count)
    completed = [trial for trial in best if is_completed_search(trial)]
    if not completed:
        raise NothingToConfirm(study.name)
    return completed


def _named(store: Store, study: Study, numbers: Sequence[int]) -> list[Trial]:
    found = store.trials.numbered(study.id, numbers)
    faults = [
        Fault(f"trials.{place}", f"must be the number of a completed search trial of this study, got {number}")
        for place, number in enumerate(numbers)
        if not is_completed_search(found.get(number))
    ]
    if faults:
        raise InvalidInput(faults)
    return [found[number] for number in dict.fromkeys(numbers)]


def _missing(study: Study, sources: Sequence[Trial], wanted: Wanted, there: Sequence[Trial]) -> Iterator[Again]:
    """Repeat by repeat, each with one seed for all sources, so that what is finished can be compared."""
    known, own = {(trial.source, trial.seed) for trial in there}, study.spec.search.seed
    for repeat, source in product(range(wanted.seeds), sources):
        seed = derived_seed(own, "confirmation", repeat)
        if (source.number, seed) not in known:
            yield Again(source, seed, derived_seed(own, "split", repeat) if wanted.new_splits else None)


def _repeats(number: int, trials: Sequence[Trial]) -> Repeats:
    accuracies = [trial.samples for trial in trials if interval_of(trial.value, trial.samples) is not None]
    return Repeats(
        number,
        {trial.seed: trial.value for trial in trials if trial.value is not None},
        step=max((1 / samples for samples in accuracies if samples), default=0.0),
        diverged=sum(trial.failure_reason is FailureReason.DIVERGED for trial in trials),
    )
