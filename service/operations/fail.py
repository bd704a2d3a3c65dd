"""Records that a trial failed, or lets it try again."""

from collections.abc import Sequence

from service.domain.status import AttemptEnd, FailureReason, TrialStatus
from service.domain.trial import Trial
from service.operations.conclude import end_trial
from service.operations.leases import goes_on, held, said_before, wait_again
from service.operations.report import add_epochs
from service.storage.attempts import EpochNumbers
from service.storage.store import Store


def fail_trial(
    store: Store,
    trial_id: int,
    token: str,
    reason: FailureReason,
    message: str,
    *,
    retryable: bool,
    epochs: Sequence[EpochNumbers],
) -> Trial:
    """End an attempt with its reason; the same failure said again finds what is recorded."""
    run = held(store, trial_id, token)
    if run is None:
        return said_before(store, trial_id, token, AttemptEnd.FAILED, epochs=epochs)
    run, _ = add_epochs(store, run, epochs)
    trial = run.trial
    store.attempts.close(trial.id, trial.leases, AttemptEnd.FAILED, store.now, f"{reason}: {message}")
    store.workers.failed(trial.worker, run.objective, reason, store.now)
    if trial.stop_reason is not None:
        return end_trial(store, run, TrialStatus.CANCELLED)
    if retryable and trial.attempt < trial.attempts_allowed and goes_on(store, run):
        return wait_again(store, trial, counted=True)
    return end_trial(store, run, TrialStatus.FAILED, failure=(reason, message))
