"""Takes back trials whose lease has run out."""

from datetime import timedelta

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


def refresh_leases(study_id: str, store: Store) -> None:
    """Give every running trial of a study a fresh lease: a server that was away is no reason to take any back."""
    study = store.studies.lock(study_id, wait=True)
    if study is not None:
        expires_at = store.now + timedelta(seconds=study.spec.lease_seconds)
        for trial in store.trials.in_status(study_id, TrialStatus.RUNNING):
            store.trials.renew(trial, expires_at)


def _take_back(store: Store, trial: Trial) -> None:
    store.attempts.close(trial.id, trial.leases, AttemptEnd.LOST, store.now)
    store.workers.lost(trial, store.now)
    if trial.stop_reason is not None or not goes_on(store, trial):
        end_trial(store, trial, TrialStatus.CANCELLED)
    elif trial.attempt < trial.attempts_allowed:
        wait_again(store, trial, counted=True)
    else:
        message = f"The lease ran out {trial.attempt} times without a word from the worker (last: {trial.worker})."
        end_trial(store, trial, TrialStatus.FAILED, failure=(FailureReason.LOST, message))
