"""Trials under a lease: as their workers hold them, and as they wait again when it ends."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.domain.errors import LeaseLost
from service.domain.facts import Happening
from service.domain.status import AttemptEnd, Purpose, StudyStatus
from service.domain.study import Study
from service.domain.trial import Trial
from service.storage.attempts import EpochNumbers
from service.storage.store import Signal, Store


@dataclass(frozen=True, slots=True)
class Held:
    """A trial under the lease in force, and its study; nobody else changes either until the transaction ends."""

    study: Study
    trial: Trial
    last_epoch: int | None
    """Where the curve of this lease stands."""

    @property
    def objective(self) -> str:
        return self.study.spec.objective.name


def held(store: Store, trial_id: int, token: str) -> Held | None:
    """What a worker holds under a token; None where that is not the lease in force.

    The study is locked first, as it is by claims: two orders of locking would be a deadlock.
    """
    study = store.studies.of_trial(trial_id)
    leased = None if study is None else store.trials.held(trial_id, token)
    return None if study is None or leased is None else Held(study, *leased)


def said_before(
    store: Store, trial_id: int, token: str, *ends: AttemptEnd, epochs: Sequence[EpochNumbers] = ()
) -> Trial:
    """The trial of an attempt that was ended in one of these ways by a request of which this one is a repetition.

    Raises LeaseLost for any other write under a lease that is not in force, one that brings further epochs included:
    a repetition is answered as if it were recorded, and these are not.
    """
    trial, ending = store.trials.get(trial_id), store.attempts.ending(trial_id, token)
    if ending is None or ending.end not in ends or not ending.reached(epochs):
        raise LeaseLost(trial_id)
    return trial


def goes_on(store: Store, run: Held) -> bool:
    """Whether another attempt at a trial would still be of use to its study."""
    if run.trial.purpose is not Purpose.SEARCH:
        return True
    study = store.studies.get(run.study.id)
    return study.status in (StudyStatus.RUNNING, StudyStatus.PAUSED) and study.over(store.now) is None


def wait_again(store: Store, trial: Trial, *, counted: bool) -> Trial:
    """running -> waiting; an attempt that was given back does not count."""
    store.announce(Signal.WORK)
    if counted:
        store.note(Happening.TRIED_AGAIN)
    store.studies.stir(trial.study_id)
    store.weights.forget(trial.id)
    return store.trials.wait_again(trial, counted=counted)
