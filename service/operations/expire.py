"""Takes back trials whose lease has run out."""

from datetime import timedelta

from service.domain.status import AttemptEnd, FailureReason, TrialStatus
from service.domain.study import Study
from service.operations.conclude import end_trial
from service.operations.leases import Held, goes_on, wait_again
from service.storage.store import Store


def expire_leases(store: Store, study: Study) -> int:
    """Take back every trial of a study, which must be locked, whose lease has run out; returns how many."""
    expired = store.trials.expired(study.id, store.now)
    for trial in expired:
        _take_back(store, Held(study, trial, last_epoch=None))
    return len(expired)


def refresh_leases(store: Store) -> None:
    """Give every running trial a fresh lease: a server that was away is no reason to take any back."""
    for trial in store.trials.running_everywhere():
        seconds = store.studies.get(trial.study_id).spec.lease_seconds
        store.trials.renew(trial.id, store.now + timedelta(seconds=seconds))


def _take_back(store: Store, run: Held) -> None:
    trial = run.trial
    store.attempts.close(trial.id, trial.leases, AttemptEnd.LOST, store.now)
    if trial.stop_reason is not None or not goes_on(store, run):
        end_trial(store, run, TrialStatus.CANCELLED)
    elif trial.attempt < trial.attempts_allowed:
        wait_again(store, trial, counted=True)
    else:
        message = f"The lease ran out {trial.attempt} times without a word from the worker (last: {trial.worker})."
        end_trial(store, run, TrialStatus.FAILED, failure=(FailureReason.LOST, message))
