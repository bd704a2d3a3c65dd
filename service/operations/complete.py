"""Records the result of a trial, once."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.domain.errors import TrialAlreadyFinished
from service.domain.status import AttemptEnd, TrialStatus
from service.domain.trial import Trial
from service.operations.claim import Claim, claim_next
from service.operations.conclude import end_trial
from service.operations.give_back import lease_lost
from service.operations.report import add_epochs
from service.storage.attempts import EpochNumbers
from service.storage.store import Store


@dataclass(frozen=True, slots=True)
class Completion:
    """The trial as it was recorded, and what its worker was given to do next."""

    trial: Trial
    claimed: list[Claim]


def complete_trial(
    store: Store,
    trial_id: int,
    token: str,
    value: float,
    samples: int | None,
    epochs: Sequence[EpochNumbers],
    claim_count: int,
) -> Completion:
    """Record a value under the lease in force; the same completion said again finds what is recorded."""
    trial = store.trials.held(trial_id, token)
    if trial is None:
        recorded = _recorded(store, trial_id, token, value)
    else:
        recorded = _record(store, trial, value, samples, epochs)
    # The token names the request, so that a worker that lost the answer is given the same trials again.
    claimed = claim_next(store, recorded, claim_count, token)
    return Completion(recorded, claimed)


def _record(store: Store, trial: Trial, value: float, samples: int | None, epochs: Sequence[EpochNumbers]) -> Trial:
    add_epochs(store, trial, epochs)
    store.attempts.close(trial.id, trial.leases, AttemptEnd.COMPLETED, store.now)
    store.workers.completed(trial, store.now)
    return end_trial(store, trial, TrialStatus.COMPLETED, value=value, samples=samples)


def _recorded(store: Store, trial_id: int, token: str, value: float) -> Trial:
    trial = store.trials.get(trial_id)
    if store.attempts.end_of(trial_id, token) is not AttemptEnd.COMPLETED:
        raise lease_lost(store, trial_id)
    if trial.value != value:
        raise TrialAlreadyFinished(trial_id, trial.status)
    return trial
