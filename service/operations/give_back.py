"""Lets a trial that ran wait for its next attempt."""

from service.domain.errors import LeaseLost
from service.domain.facts import Happening
from service.domain.status import Purpose, StudyStatus
from service.domain.study import GIVING_UP
from service.domain.trial import Trial
from service.storage.store import Signal, Store


def goes_on(store: Store, trial: Trial) -> bool:
    """Whether another attempt at a trial would still be of use to its study."""
    if trial.purpose is not Purpose.SEARCH:
        return True
    study = store.studies.get(trial.study_id, lock=True)
    return study.status in (StudyStatus.RUNNING, StudyStatus.PAUSED) and study.ended_by not in GIVING_UP


def wait_again(store: Store, trial: Trial, *, counted: bool) -> Trial:
    """running -> waiting; an attempt that was given back does not count."""
    store.announce(Signal.WORK)
    if counted:
        store.note(Happening.TRIED_AGAIN)
    store.weights.forget(trial.id)
    return store.trials.wait_again(trial, counted=counted)


def lease_lost(store: Store, trial_id: int) -> LeaseLost:
    """The error for a write under a lease that is not in force; raises TrialNotFound where there is no trial."""
    return LeaseLost(store.trials.get(trial_id).id)
