"""Takes back trials whose lease has run out."""

from datetime import timedelta

from service.domain.facts import Happening
from service.domain.status import AttemptEnd, FailureReason, TrialStatus
from service.domain.trial import Trial
from service.operations.conclude import end_trial
from service.operations.give_back import goes_on, wait_again
from service.storage.store import Store


def expire_leases(store: Store, study_id: str) -> int:
    """Take back every trial of a study, which must be locked, whose lease has run out; returns how many."""
    expired = store.trials.expired(study_id, store.now)
    for trial in expired:
        _take_back(store, trial)
    return len(expired)


def refresh_leases(store: Store) -> None:
    """Give every running trial a fresh lease: a server that was away is no reason to take any back."""
    for trial in store.trials.running_everywhere():
        seconds = store.studies.get(trial.study_id).spec.lease_seconds
        store.trials.renew(trial.id, store.now + timedelta(seconds=seconds))


def _take_back(store: Store, trial: Trial) -> None:
    store.attempts.close(trial.id, trial.leases, AttemptEnd.LOST, store.now)
    store.note(Happening.LEASE_TAKEN_BACK)
    if trial.stop_reason is not None or not goes_on(store, trial):
        end_trial(store, trial, TrialStatus.CANCELLED)
    elif trial.attempt < trial.attempts_allowed:
        wait_again(store, trial, counted=True)
    else:
        message = f"The lease ran out {trial.attempt} times without a word from the worker (last: {trial.worker})."
        end_trial(store, trial, TrialStatus.FAILED, failure=(FailureReason.LOST, message))
