"""Changes what may change in a study: its budget, how it searches, description and tags."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from service.domain.errors import InvalidInput
from service.domain.status import Purpose, StudyStatus, TrialStatus
from service.domain.study import Study
from service.domain.trial import Origin, Trial
from service.operations.conclude import cancel, conclude
from service.operations.draw import searches_at_once
from service.operations.plan_check import plan_faults
from service.operations.search_on import search_on_after_space
from service.storage.events import EventKind
from service.storage.store import Signal, Store
from service.storage.studies import spec_from_json


def change_study(store: Store, study: Study, submitted: Mapping[str, Any]) -> Study:
    """Put a changed specification in force; a raised budget lets a completed study run again."""
    text = json.dumps(submitted)
    spec = spec_from_json(text)
    planned = (spec.search, spec.narrowing, spec.pruning)
    if planned != (study.spec.search, study.spec.narrowing, study.spec.pruning) and (faults := plan_faults(spec)):
        raise InvalidInput(faults)
    if spec.pruning != study.spec.pruning:
        # Another rule compares other numbers.
        store.standings.clear(study.id)
    store.studies.update(study.id, spec=text)
    store.studies.retag(study.id, submitted["tags"])
    if spec.search != study.spec.search:
        _search_on(store, study.id)
    if spec.budget != study.spec.budget:
        _rebudget(store, study)
    store.events.append(study.id, EventKind.CHANGED, store.now)
    return store.studies.get(study.id)


def _search_on(store: Store, study_id: str) -> None:
    """What nobody has claimed is suggested anew; an algorithm that draws at the claim needs nothing to wait."""
    study = store.studies.get(study_id, lock=True)
    store.trials.withdraw_unclaimed(study.id)
    if searches_at_once(study):
        for trial in store.trials.unclaimed(study.id):
            cancel(store, trial)
    store.rounds.replan(study.id, study.round, store.rounds.get(study.id, study.round).planned)
    search_on_after_space(store, study)
    store.announce(Signal.WORK, Signal.HISTORY)


def _rebudget(store: Store, old: Study) -> None:
    if old.status is StudyStatus.STOPPED:
        return
    study = store.studies.get(old.id, lock=True)
    _replan(store, old, study)
    _cancel_surplus(store, study)
    # What ended the study before is judged anew.
    study = replace(store.studies.get(old.id), ended_by=None)
    bound = "target" if _target_is_met(store, study) else None
    _set_bounds(store, study, bound)
    if study.status is StudyStatus.COMPLETED and (bound or study.reached(store.now)) is None:
        store.studies.update(study.id, status=StudyStatus.RUNNING, finished_at=None)
    conclude(store, study.id)
    store.announce(Signal.WORK, Signal.HISTORY)


def _set_bounds(store: Store, study: Study, bound: str | None) -> None:
    seconds = study.spec.budget.seconds
    ends_at = None if seconds is None or study.started_at is None else study.started_at + timedelta(seconds=seconds)
    ended_by = bound or (study.reached(store.now) if study.status is StudyStatus.COMPLETED else None)
    store.studies.update(study.id, ended_by=ended_by, ends_at=ends_at)


def _replan(store: Store, old: Study, new: Study) -> None:
    """The round in force covers what the budget gained or lost, unless it has a length of its own."""
    before, after = old.spec.budget.trials, new.spec.budget.trials
    has_own_length = new.spec.narrowing is not None and new.spec.narrowing.every is not None
    if before is not None and after is not None and not has_own_length:
        planned = store.rounds.get(new.id, new.round).planned + after - before
        store.rounds.replan(new.id, new.round, max(0, planned))


def _cancel_surplus(store: Store, study: Study) -> None:
    trials = study.spec.budget.trials
    surplus = 0 if trials is None else max(0, study.budgeted - trials)
    waiting = store.trials.in_status(study.id, TrialStatus.WAITING, Purpose.SEARCH)
    for trial in sorted(waiting, key=_dearness)[:surplus]:
        cancel(store, trial)


def _dearness(trial: Trial) -> tuple[bool, bool, int]:
    """What nobody has tried yet goes first, suggestions before what was asked for by hand, late ones before early."""
    return trial.leases > 0, trial.origin is not Origin.SUGGESTED, -trial.number


def _target_is_met(store: Store, study: Study) -> bool:
    best = store.trials.best(study.id, study.spec.metric.goal, 1)
    return bool(best) and best[0].value is not None and study.meets_target(best[0].value)
