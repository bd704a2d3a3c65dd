"""Takes in a piece of a learning curve, which renews the lease."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.domain.status import AttemptEnd, Purpose, TrialStatus
from service.domain.trial import Trial
from service.operations.conclude import trial_ended
from service.operations.give_back import lease_lost
from service.storage.attempts import EpochNumbers
from service.storage.store import Store


@dataclass(frozen=True, slots=True)
class Continue:
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Stop:
    reason: str


def report_epochs(store: Store, trial_id: int, token: str, epochs: Sequence[EpochNumbers]) -> Continue | Stop:
    """Add epochs to the curve; the answer tells the worker to go on or to stop."""
    trial = store.trials.held(trial_id, token)
    if trial is None:
        raise lease_lost(store, trial_id)
    add_epochs(store, trial, epochs)
    if trial.stop_reason is not None:
        return _stop(store, trial, trial.stop_reason)
    expires_at = store.now + timedelta(seconds=store.studies.get(trial.study_id).spec.lease_seconds)
    store.trials.renew(trial.id, expires_at)
    return Continue(expires_at)


def add_epochs(store: Store, trial: Trial, epochs: Sequence[EpochNumbers]) -> None:
    """Add what is new of these epochs; those not above the last one are repetitions."""
    if epochs:
        said_first = {epoch["epoch"]: epoch for epoch in reversed(epochs)}
        in_order = sorted(said_first.values(), key=lambda epoch: epoch["epoch"])
        added = store.attempts.add_epochs(trial.id, trial.leases, in_order)
        if trial.purpose is Purpose.SEARCH:
            store.studies.add_to(trial.study_id, epochs=added)


def _stop(store: Store, trial: Trial, reason: str) -> Stop:
    store.attempts.close(trial.id, trial.leases, AttemptEnd.CANCELLED, store.now)
    trial_ended(store, store.trials.finish(trial, TrialStatus.CANCELLED, store.now))
    return Stop(reason)
