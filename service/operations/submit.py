"""Begins a study."""

import json
from collections.abc import Mapping
from typing import Any

from service.domain.errors import InvalidInput
from service.domain.rounds import Round
from service.domain.status import StudyStatus
from service.domain.study import Study
from service.operations.objective_check import objective_faults
from service.operations.plan_check import plan_faults
from service.storage.events import EventKind
from service.storage.store import Signal, Store
from service.storage.studies import spec_from_json

PLANNED_WITHOUT_BOUND = 100


def submit_study(store: Store, submitted: Mapping[str, Any]) -> Study:
    """Write a study down with its round 0; without a seed it is given one."""
    search = submitted["search"]
    if search.get("seed") is None:
        search = {**search, "seed": store.random_seed()}
    study = _new_study(store, json.dumps({**submitted, "search": search}))
    if faults := objective_faults(study.spec) + plan_faults(study.spec):
        raise InvalidInput(faults)
    store.studies.add(study, submitted["tags"])
    store.rounds.add(study.id, _first_round(store, study))
    store.events.append(study.id, EventKind.SUBMITTED, store.now)
    store.announce(Signal.WORK, Signal.HISTORY)
    return store.studies.get(study.id)


def planned_trials(study: Study) -> int:
    """How many trials a round that opens now is expected to suggest."""
    room = PLANNED_WITHOUT_BOUND if study.room is None else study.room
    every = study.spec.narrowing.every if study.spec.narrowing else None
    return room if every is None else min(room, every)


def _new_study(store: Store, submitted: str) -> Study:
    return Study(
        id=store.random_token(),
        spec=spec_from_json(submitted),
        submitted=submitted,
        status=StudyStatus.RUNNING,
        round=0,
        next_number=0,
        budgeted=0,
        epochs=0,
        last_event=0,
        ended_by=None,
        counts={},
        created_at=store.now,
        started_at=None,
        finished_at=None,
    )


def _first_round(store: Store, study: Study) -> Round:
    return Round(
        number=0,
        parent=None,
        space=study.spec.space,
        origin="submitted",
        evidence=None,
        planned=planned_trials(study),
        position=0,
        opened_at=store.now,
    )
