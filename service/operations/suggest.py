"""Keeps suggestions waiting that are too slow to make while a worker waits for its claim."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from service.domain.rounds import Round
from service.domain.space import key_of
from service.domain.status import Purpose, StudyStatus, TrialStatus
from service.domain.study import Study
from service.domain.trial import Trial
from service.operations.conclude import cancel, conclude
from service.operations.draw import provenance, searching, write_suggestions
from service.operations.history import Histories, History
from service.search.base import Answer, Question, is_instant
from service.storage.store import Signal, Store

MOST_AHEAD = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What an algorithm is to be asked for a study, and what becomes of its answer."""

    study: Study
    round: Round
    question: Question
    pieces: tuple[bytes, ...]
    """The most of the history packed."""
    settings: BaseModel
    replaced: Sequence[Trial]
    """Suggestions that nobody has claimed, which the first points replace."""
    pending: tuple[Trial, ...]
    given_up: int
    """How many points of cancelled trials were known."""
    count: int


@dataclass(slots=True)
class Pace:
    """How many suggestions of a study are kept ahead beyond the usual.

    Where workers take them quicker than they are made, making those anew that wait would let workers
    idle: then more are made ahead, each from what is known by then, and none anew until workers are
    slower again.
    """

    extra: int = 0

    def overtaken(self) -> None:
        self.extra = min(MOST_AHEAD, max(2, 2 * self.extra))

    def kept_up(self) -> None:
        self.extra //= 2


def plan_suggestions(store: Store, study_id: str, histories: Histories, pace: Pace) -> Request | None:
    """What to ask for next; None while enough suggestions wait that know all there is to know."""
    study = store.studies.get(study_id)
    algorithm, settings = searching(study)
    if is_instant(algorithm, settings) or study.status is not StudyStatus.RUNNING or study.ended_by is not None:
        return None
    unclaimed = store.trials.unclaimed(study.id)
    running = store.trials.in_status(study.id, TrialStatus.RUNNING, Purpose.SEARCH)
    if not unclaimed and study.room != 0 and study.started_at is not None:
        pace.overtaken()
    missing = _missing(study, len(unclaimed), len(running) + pace.extra)
    outdated = [trial for trial in unclaimed if trial.stale or (not pace.extra and not _knows_all(trial, study))]
    if missing == 0 and not outdated:
        pace.kept_up()
        return None
    # In a hurry what waits stays; otherwise all of it is made anew together.
    replaced = [trial for trial in unclaimed if trial.stale] if pace.extra else unclaimed
    return _request(store, study, settings, histories.of(store, study), replaced, running, missing)


def record_suggestions(store: Store, request: Request, answer: Answer, pace: Pace) -> None:
    """Write suggestions down, unless nobody wants them any more, or what they were to replace is gone."""
    study = store.studies.get(request.study.id, lock=True)
    if not _still_wanted(study, request):
        return
    if _claimed_meanwhile(store, request):
        pace.overtaken()
        store.announce(Signal.HISTORY)
        return
    if _there_meanwhile(store, request, answer):
        store.announce(Signal.HISTORY)
        return
    origin = provenance(request.study, request.round, request.question, request.pending, request.given_up)
    replaced = len(request.replaced)
    for place, (trial, params) in enumerate(zip(request.replaced, answer.points, strict=False)):
        store.trials.replace_unclaimed(trial.id, params, study.round, {**origin, "place": place})
    room = len(answer.points) if study.room is None else study.room
    fresh = answer.points[replaced : replaced + room]
    if fresh:
        write_suggestions(store, study, request.round, fresh, origin, replaced)
    store.studies.stir(study.id)
    store.announce(Signal.WORK)
    if len(answer.points) < request.count:
        _exhausted(store, study, request.replaced[len(answer.points) :])


def _still_wanted(study: Study, request: Request) -> bool:
    """Whether the study is still in the round and at the search for which was asked."""
    asked = request.study.spec.search
    goes_on = study.status is StudyStatus.RUNNING and study.ended_by is None
    return goes_on and study.round == request.round.number and study.spec.search == asked


def _claimed_meanwhile(store: Store, request: Request) -> bool:
    """Whether somebody has taken what was to be replaced."""
    unclaimed = {trial.id for trial in store.trials.unclaimed(request.study.id)}
    return not unclaimed.issuperset(trial.id for trial in request.replaced)


def _there_meanwhile(store: Store, request: Request, answer: Answer) -> bool:
    """Whether a point that was to be new has come in from elsewhere, as by hand or from another server."""
    replaced = [trial.id for trial in request.replaced]
    return any(store.trials.has_point(request.study.id, key_of(params), besides=replaced) for params in answer.points)


def _exhausted(store: Store, study: Study, without_point: Sequence[Trial]) -> None:
    for trial in without_point:
        cancel(store, trial)
    store.studies.update(study.id, ended_by="space")
    conclude(store, study.id)


def _missing(study: Study, unclaimed: int, running: int) -> int:
    ahead = min(MOST_AHEAD, max(2, running))
    missing = max(0, ahead - unclaimed)
    return missing if study.room is None else min(missing, study.room)


def _knows_all(trial: Trial, study: Study) -> bool:
    known: Any = (trial.provenance or {}).get("last_event", -1)
    return not trial.stale and known >= study.last_event


def _request(
    store: Store,
    study: Study,
    settings: BaseModel,
    history: History,
    replaced: Sequence[Trial],
    running: Sequence[Trial],
    missing: int,
) -> Request:
    waiting = store.trials.in_status(study.id, TrialStatus.WAITING, Purpose.SEARCH)
    anew = {trial.id for trial in replaced}
    pending = [*running, *(trial for trial in waiting if trial.id not in anew)]
    pending_params = tuple(trial.params for trial in pending)
    given_up = store.trials.cancelled_points(study.id, study.last_event)
    current = store.rounds.get(study.id, study.round)
    question = Question(
        space=current.space,
        goal=study.spec.metric.goal,
        seed=study.spec.search.seed,
        number=replaced[0].number if replaced else study.next_number,
        planned=max(1, current.planned),
        history=history.seen,
        pending=pending_params,
        taken=history.points.union(map(key_of, pending_params), given_up),
    )
    return Request(
        study=study,
        round=current,
        question=question,
        pieces=history.pieces,
        settings=settings,
        replaced=replaced,
        pending=tuple(pending),
        given_up=len(given_up),
        count=len(replaced) + missing,
    )
