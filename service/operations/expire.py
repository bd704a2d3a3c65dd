"""Takes back trials whose lease has run out."""

from collections.abc import Callable
from datetime import datetime, timedelta

from service.domain.facts import Happening
from service.domain.status import AttemptEnd, FailureReason, TrialStatus
from service.domain.study import Study
from service.operations.conclude import end_trial
from service.operations.leases import Held, goes_on, wait_again
from service.storage.store import Store


def expire_leases(store: Store, study: Study) -> int:
    """Take back every trial of a study, which must be locked, whose lease has run out; returns how many.

    None where this server has not been there for a whole lease, or the study is out of its reach: then it was nobody's
    fault that it was not renewed.
    """
    if not store.was_there(study.id, study.spec.lease_seconds):
        return 0
    expired = store.trials.expired(study.id, store.now)
    for trial in expired:
        # The end of one may have changed the study for the next, as by a new round.
        _take_back(store, Held(store.studies.get(study.id), trial, last_epoch=None))
    return len(expired)


def refresh_leases(study_id: str, store: Store) -> datetime:
    """Give every running trial of a study a fresh lease: a server that was away is no reason to take any back.

    Returns when that was.
    """
    study = store.studies.lock(study_id, wait=True)
    if study is not None:
        store.trials.renew_all(study_id, store.now + timedelta(seconds=study.spec.lease_seconds))
    return store.now


def lengthen_leases(missed: Callable[[float], timedelta | None], study_id: str, store: Store) -> datetime:
    """Let every lease of a study last longer by the time in which nobody could renew it, up to a whole lease from now.

    Not by more, so that whoever is gone is found out however often the server is away; and none longer than a whole
    one, for it may have been given or renewed since. `missed` tells that time for a length of leases, None where it was
    too short to count. Returns when that was.
    """
    study = store.studies.lock(study_id, wait=True)
    if study is not None and (by := missed(study.spec.lease_seconds)) is not None:
        whole = store.now + timedelta(seconds=study.spec.lease_seconds)
        for trial in store.trials.in_status(study_id, TrialStatus.RUNNING):
            assert trial.lease_expires_at is not None
            store.trials.renew(trial, min(trial.lease_expires_at + by, whole))
    return store.now


def _take_back(store: Store, run: Held) -> None:
    trial = run.trial
    store.attempts.close(trial.id, trial.leases, AttemptEnd.LOST, store.now)
    store.workers.lost(trial.worker, run.objective, store.now)
    store.note(Happening.LEASE_TAKEN_BACK)
    if trial.stop_reason is not None or not goes_on(store, run):
        end_trial(store, run, TrialStatus.CANCELLED)
    elif trial.attempt < trial.attempts_allowed:
        wait_again(store, trial, counted=True)
    else:
        message = f"The lease ran out {trial.attempt} times without a word from the worker (last: {trial.worker})."
        end_trial(store, run, TrialStatus.FAILED, failure=(FailureReason.LOST, message))
