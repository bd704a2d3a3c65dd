"""Takes in trials by hand: values to try next, and results from elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.domain.errors import BudgetUsedUp, Fault, InvalidInput, TransitionRefused
from service.domain.space import Params
from service.domain.status import StudyStatus
from service.domain.study import Study
from service.domain.trial import Origin, Trial
from service.operations.conclude import conclude, reopen, require_not_over
from service.operations.draw import trial_seed
from service.storage.events import EventKind
from service.storage.store import Signal, Store
from service.storage.trials import NewTrial

MOST_SHOWN = 1_000


@dataclass(frozen=True, slots=True)
class Given:
    """Values by hand, with a result where they have been tried."""

    params: Params
    value: float | None = None
    samples: int | None = None


def take_in(store: Store, study_name: str, given: Sequence[Given]) -> list[Trial]:
    """Enqueue what has no value and import what has one: all of them, or none. Returns the first thousand."""
    study = store.studies.get(study_name, lock=True)
    _check(study, given)
    waiting = sum(one.value is None for one in given)
    if waiting:
        _check_open(store, study, waiting)
    first = store.studies.draw_numbers(study.id, len(given), budgeted=False)
    store.studies.add_to(study.id, budgeted=waiting)
    if waiting and study.status is StudyStatus.COMPLETED:
        reopen(store, study)
    event = store.events.append(study.id, EventKind.IMPORTED, store.now)
    taken = store.trials.add(study, [_new(study, one, n, event) for n, one in enumerate(given, first)], store.now)
    store.announce(Signal.WORK, Signal.HISTORY)
    _note_target(store, study, given)
    return taken[:MOST_SHOWN]


def _check_open(store: Store, study: Study, waiting: int) -> None:
    if study.status is StudyStatus.STOPPED:
        raise TransitionRefused("The study", study.status, "running", "Clone it and enqueue the trials there.")
    require_not_over(store, study)
    if study.room is not None and waiting > study.room:
        raise BudgetUsedUp(waiting, study.room)


def _check(study: Study, given: Sequence[Given]) -> None:
    space = study.spec.space
    faults = [
        Fault(f"trials.{index}.params.{name}", sentence)
        for index, one in enumerate(given)
        for name, sentence in space.faults(one.params, elsewhere=one.value is not None)
    ]
    if faults:
        raise InvalidInput(faults)


def _new(study: Study, given: Given, number: int, event: int) -> NewTrial:
    return NewTrial(
        number=number,
        params=given.params,
        round=study.round,
        seed=trial_seed(study.spec.search.seed, number),
        origin=Origin.ENQUEUED if given.value is None else Origin.IMPORTED,
        attempts_allowed=study.spec.retry.max_attempts,
        value=given.value,
        samples=given.samples,
        finished_event=None if given.value is None else event,
    )


def _note_target(store: Store, study: Study, given: Sequence[Given]) -> None:
    met = any(one.value is not None and study.meets_target(one.value) for one in given)
    if met and study.status is not StudyStatus.STOPPED:
        store.studies.update(study.id, ended_by="target")
        conclude(store, study.id)
