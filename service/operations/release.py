"""Takes a trial back from a worker that gives it up."""

from collections.abc import Sequence

from service.domain.facts import Happening
from service.domain.status import AttemptEnd, TrialStatus
from service.domain.trial import Trial
from service.operations.conclude import end_trial
from service.operations.leases import goes_on, held, said_before, wait_again
from service.operations.report import add_epochs
from service.storage.attempts import EpochNumbers
from service.storage.store import Store


def release_trial(store: Store, trial_id: int, token: str, epochs: Sequence[EpochNumbers]) -> Trial:
    """End a lease without counting its attempt; the same release said again changes nothing."""
    run = held(store, trial_id, token)
    if run is None:
        return said_before(store, trial_id, token, AttemptEnd.RELEASED, epochs=epochs)
    run, _ = add_epochs(store, run, epochs)
    trial = run.trial
    store.note(Happening.RELEASED)
    store.attempts.close(trial.id, trial.leases, AttemptEnd.RELEASED, store.now)
    if trial.stop_reason is None and goes_on(store, run):
        return wait_again(store, trial, counted=False)
    return end_trial(store, run, TrialStatus.CANCELLED)
