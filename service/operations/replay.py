"""Asks for a past suggestion again, with all that it was made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from service import search
from service.domain.errors import NotReplayable
from service.domain.space import key_of
from service.domain.study import Study
from service.domain.trial import Trial
from service.operations.history import History
from service.search.base import Question, is_instant
from service.storage.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A question as it was asked when a trial was suggested, and which place of the answer became the trial."""

    trial: Trial
    algorithm: str
    question: Question
    settings: BaseModel
    place: int


def plan_replay(store: Store, study_name: str, number: int) -> Replay:
    """What to ask again for a trial; raises NotReplayable where that cannot be known any more."""
    study = store.studies.get(study_name)
    trial = store.trials.by_number(study.id, number)
    origin = trial.provenance
    if origin is None:
        raise NotReplayable(number, f"It was {trial.origin}, no algorithm suggested it.")
    if "pending_points" not in origin:
        raise NotReplayable(number, "It was suggested by a version that did not note all that it was made from.")
    algorithm = search.find(str(origin["algorithm"]))
    if algorithm is None:
        raise NotReplayable(number, f"The search algorithm {origin['algorithm']!r} is gone from this server.")
    settings = algorithm.Settings.model_validate(origin["settings"])
    looks_back = not is_instant(algorithm, settings)
    question = _question(store, study, trial, origin, looks_back=looks_back)
    return Replay(
        trial=trial, algorithm=algorithm.name, question=question, settings=settings, place=_int(origin, "place")
    )


def _question(store: Store, study: Study, trial: Trial, origin: Mapping[str, Any], *, looks_back: bool) -> Question:
    first, last_event = _int(origin, "first"), _int(origin, "last_event")
    pending = tuple(store.trials.by_number(study.id, number).params for number in origin["pending"])
    seen = store.trials.observations(study.id, until=last_event) if looks_back else []
    given_up = store.trials.cancelled_points(study.id, last_event) if looks_back else frozenset()
    keys = [key_of(params) for params in pending]
    if (len(seen), len(given_up), keys) != (origin["known"], origin["given_up"], origin["pending_points"]):
        raise NotReplayable(trial.number, "A trial that it knew has been tried again, or got other values, since.")
    history = History().then(seen, last_event)
    taken = history.points.union(keys, given_up) if looks_back else store.trials.points(study.id, before=first)
    return Question(
        space=store.rounds.get(study.id, _int(origin, "round")).space,
        goal=study.spec.metric.goal,
        seed=_int(origin, "seed"),
        number=first,
        planned=_int(origin, "planned"),
        position=_int(origin, "position"),
        history=history.seen,
        pending=pending,
        taken=taken,
    )


def _int(origin: Mapping[str, Any], field: str) -> int:
    return int(origin[field])
