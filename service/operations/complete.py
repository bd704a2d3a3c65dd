"""Records the result of a trial, once."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.domain.errors import TrialAlreadyFinished
from service.domain.status import AttemptEnd, TrialStatus
from service.domain.trial import Trial
from service.operations.claim import Claim, claim_again, claim_next
from service.operations.conclude import end_trial
from service.operations.leases import Held, held, said_before
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
    run = held(store, trial_id, token)
    if run is None:
        recorded = said_before(store, trial_id, token, AttemptEnd.COMPLETED, epochs=epochs)
        if recorded.value != value or samples not in (None, recorded.samples):
            raise TrialAlreadyFinished(trial_id, recorded.status)
        return Completion(recorded, claim_again(store, recorded, claim_count, token))
    completed = _record(store, run, value, samples, epochs)
    return Completion(completed, claim_next(store, completed, claim_count, token))


def _record(store: Store, run: Held, value: float, samples: int | None, epochs: Sequence[EpochNumbers]) -> Trial:
    run, _ = add_epochs(store, run, epochs)
    store.attempts.close(run.trial.id, run.trial.leases, AttemptEnd.COMPLETED, store.now)
    store.workers.completed(run.trial.worker, run.objective, store.now)
    return end_trial(store, run, TrialStatus.COMPLETED, value=value, samples=samples)
