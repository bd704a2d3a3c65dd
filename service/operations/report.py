"""Takes in a piece of a learning curve, which renews the lease."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.domain.facts import Happening
from service.domain.status import AttemptEnd, Purpose, TrialStatus
from service.domain.study import Study
from service.domain.trial import Trial
from service.operations.claim import Claim, claim_next
from service.operations.conclude import end_trial
from service.operations.give_back import lease_lost
from service.operations.prune import Pruning, check_run, course_of
from service.pruning.base import Check
from service.storage.attempts import EpochNumbers
from service.storage.store import Store


@dataclass(frozen=True, slots=True)
class Continue:
    expires_at: datetime
    report_at: int | None
    """The epoch after which the study's rule of early stopping wants the next report."""


@dataclass(frozen=True, slots=True)
class Stop:
    reason: str
    claimed: list[Claim]
    """What the worker was given to do next."""


def report_epochs(
    store: Store, trial_id: int, token: str, epochs: Sequence[EpochNumbers], claim_count: int = 0
) -> Continue | Stop:
    """Add epochs to the curve; the answer tells the worker to go on or to stop, and then what to do next."""
    trial = store.trials.held(trial_id, token)
    said = _said(store, trial_id, token, claim_count) if trial is None else _take(store, trial, epochs)
    if isinstance(said, Continue):
        return said
    # The token names the request, so that a worker that lost the answer is given the same trials again.
    return Stop(said.stop_reason or "", claim_next(store, said, claim_count, token))


def _said(store: Store, trial_id: int, token: str, claim_count: int) -> Trial:
    """A trial that was stopped under this token: the answer may have been lost, with what was claimed by it."""
    trial = store.trials.get(trial_id)
    stopped = store.attempts.end_of(trial_id, token) in (AttemptEnd.PRUNED, AttemptEnd.CANCELLED)
    if not stopped or trial.stop_reason is None or claim_count < 1:
        raise lease_lost(store, trial_id)
    return trial


def _take(store: Store, trial: Trial, epochs: Sequence[EpochNumbers]) -> Continue | Trial:
    """What to go on with, or the trial as it ended."""
    store.note(Happening.REPORTED)
    checks = add_epochs(store, trial, epochs)
    study = store.studies.get(trial.study_id)
    if trial.stop_reason is not None:
        return _cancelled(store, trial, trial.stop_reason)
    applied, last = Pruning.of(study, trial), store.attempts.last_epoch(trial.id, trial.leases) or 0
    if reason := _reason_to_stop(store, study, trial, applied, checks, last):
        return _pruned(store, study, trial, reason)
    expires_at = store.now + timedelta(seconds=study.spec.lease_seconds)
    store.trials.renew(trial.id, expires_at)
    return Continue(expires_at, None if applied is None else applied.next_check(last))


def add_epochs(store: Store, trial: Trial, epochs: Sequence[EpochNumbers]) -> list[Check]:
    """Add what is new of these epochs, and look at them; those not above the last one are repetitions."""
    if not epochs:
        return []
    said_first = {epoch["epoch"]: epoch for epoch in reversed(epochs)}
    in_order = sorted(said_first.values(), key=lambda epoch: epoch["epoch"])
    added = store.attempts.add_epochs(trial.id, trial.leases, in_order)
    store.note(Happening.EPOCHS_ADDED, added)
    if trial.purpose is Purpose.SEARCH:
        store.studies.add_to(trial.study_id, epochs=added)
    return check_run(store, store.studies.get(trial.study_id), trial, added)


def _reason_to_stop(
    store: Store, study: Study, trial: Trial, applied: Pruning | None, checks: Sequence[Check], last: int
) -> str | None:
    full = course_of(study.spec, trial.number, trial.params.get("epochs")).full
    if trial.purpose is not Purpose.SEARCH or (full is not None and last >= full):
        # What has run its whole length has its value, and is about to tell it.
        return None
    if bound := study.over(store.now):
        return f"The study has ended by its {bound}."
    return None if applied is None else applied.verdicts(checks)


def _pruned(store: Store, study: Study, trial: Trial, reason: str) -> Trial:
    """A run that is cut short keeps its curve, its reason, and its last value; without one it is cancelled."""
    said = [epoch[name] for epoch in store.attempts.curve(trial.id) if (name := study.spec.metric.name) in epoch]
    if not said:
        return _cancelled(store, trial, reason)
    store.attempts.close(trial.id, trial.leases, AttemptEnd.PRUNED, store.now, reason)
    return end_trial(store, trial, TrialStatus.PRUNED, value=said[-1], stop_reason=reason)


def _cancelled(store: Store, trial: Trial, reason: str) -> Trial:
    store.attempts.close(trial.id, trial.leases, AttemptEnd.CANCELLED, store.now, reason)
    return end_trial(store, trial, TrialStatus.CANCELLED, stop_reason=reason)
