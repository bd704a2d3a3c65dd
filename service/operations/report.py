"""Takes in a piece of a learning curve, which renews the lease."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from service.domain.errors import LeaseLost
from service.domain.facts import Happening
from service.domain.status import AttemptEnd, Purpose, TrialStatus
from service.domain.study import Study
from service.domain.trial import Trial
from service.operations.claim import Claim, claim_again, claim_next
from service.operations.conclude import end_trial
from service.operations.leases import Held, held, said_before
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
    run = held(store, trial_id, token)
    if run is None:
        stopped = _said(store, trial_id, token, claim_count)
        return Stop(stopped.stop_reason or "", claim_again(store, stopped, claim_count, token))
    said = _take(store, run, epochs)
    if isinstance(said, Continue):
        return said
    return Stop(said.stop_reason or "", claim_next(store, said, claim_count, token))


def _said(store: Store, trial_id: int, token: str, claim_count: int) -> Trial:
    """A trial that was stopped under this token: the answer may have been lost, with what was claimed by it."""
    trial = said_before(store, trial_id, token, AttemptEnd.PRUNED, AttemptEnd.CANCELLED)
    if trial.stop_reason is None or claim_count < 1:
        raise LeaseLost(trial_id)
    return trial


def _take(store: Store, run: Held, epochs: Sequence[EpochNumbers]) -> Continue | Trial:
    """What to go on with, or the trial as it ended."""
    store.note(Happening.REPORTED)
    run, checks = add_epochs(store, run, epochs)
    study, trial, last = run.study, run.trial, run.last_epoch or 0
    if trial.stop_reason is not None:
        return _cancelled(store, run, trial.stop_reason)
    applied = Pruning.of(study, trial)
    if reason := _reason_to_stop(store, study, trial, applied, checks, last):
        return _pruned(store, run, reason)
    expires_at = store.now + timedelta(seconds=study.spec.lease_seconds)
    store.trials.renew(trial, expires_at)
    return Continue(expires_at, None if applied is None else applied.next_check(last))


def add_epochs(store: Store, run: Held, epochs: Sequence[EpochNumbers]) -> tuple[Held, list[Check]]:
    """Add what is new of these epochs, and look at them; those not above the last one are repetitions."""
    said_first = {int(epoch["epoch"]): epoch for epoch in reversed(epochs)}
    fresh = [said_first[epoch] for epoch in sorted(said_first) if run.last_epoch is None or epoch > run.last_epoch]
    if not fresh:
        return run, []
    store.attempts.add_epochs(run.trial.id, run.trial.leases, fresh)
    store.note(Happening.EPOCHS_ADDED, len(fresh))
    study = run.study
    if run.trial.purpose is Purpose.SEARCH:
        store.studies.add_to(study.id, epochs=len(fresh))
        study = replace(study, epochs=study.epochs + len(fresh))
    grown = replace(run, study=study, last_epoch=int(fresh[-1]["epoch"]))
    return grown, check_run(store, study, run.trial, len(fresh))


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


def _pruned(store: Store, run: Held, reason: str) -> Trial:
    """A run that is cut short keeps its curve, its reason, and its last value; without one it is cancelled."""
    name = run.study.spec.metric.name
    said = [epoch[name] for epoch in store.attempts.curve(run.trial.id) if name in epoch]
    if not said:
        return _cancelled(store, run, reason)
    store.attempts.close(run.trial.id, run.trial.leases, AttemptEnd.PRUNED, store.now, reason)
    store.workers.pruned(run.trial.worker)
    return end_trial(store, run, TrialStatus.PRUNED, value=said[-1], stop_reason=reason)


def _cancelled(store: Store, run: Held, reason: str) -> Trial:
    store.attempts.close(run.trial.id, run.trial.leases, AttemptEnd.CANCELLED, store.now, reason)
    return end_trial(store, run, TrialStatus.CANCELLED, stop_reason=reason)
