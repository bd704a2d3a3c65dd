"""The calls on the trials of a study."""

import math
from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import PlainTextResponse

from service.api.addresses import STUDY
from service.api.mutation import Mutating
from service.api.negotiation import quality
from service.api.reading import (
    Cursor,
    Limit,
    Reading,
    RoundNumber,
    StudyKey,
    TrialNumber,
    cut,
    read_cursor,
    row_number,
    shown,
    write_cursor,
)
from service.api.strict_json import StrictRoute
from service.api.views import best_line, best_view, trial_view
from service.domain.status import Purpose, TrialStatus
from service.domain.trial import Trial
from service.operations.best import best_trials
from service.operations.change_trial import cancel_trial, retry_trial
from service.operations.enqueue import Given, take_in
from service.operations.forget_curves import Retention, forget_curves
from service.operations.warm_start import warm_start
from service.protocol import (
    MAX_PAGE,
    AttemptView,
    Best,
    Curve,
    CurveRetention,
    Epoch,
    ForgottenCurves,
    GivenTrials,
    TrialDetail,
    TrialList,
    TrialPage,
    TrialView,
)
from service.storage.curves import FIRST, Ended
from service.storage.store import Store
from service.storage.trial_lists import TrialFilter

router = APIRouter(prefix=STUDY, tags=["trials"], route_class=StrictRoute)


@router.get("/trials", response_model=TrialPage)
def trials(
    database: Reading,
    study: StudyKey,
    status: TrialStatus | None = None,
    round_number: RoundNumber = None,
    purpose: Purpose = Purpose.SEARCH,
    sort: Literal["number", "value", "-value"] = "number",
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """A page of trials; those without a value come last when sorted by it."""
    after = read_cursor(cursor, (_value, row_number))
    limit = min(limit, MAX_PAGE)

    def read(store: Store) -> TrialPage:
        found = store.trials.page(
            store.studies.get(study).id, TrialFilter(purpose, status, round_number), sort, after, limit + 1
        )
        page, following = cut(found, limit, lambda trial: write_cursor(trial.value, trial.number))
        return TrialPage(items=[trial_view(trial) for trial in page], next_cursor=following)

    return shown(database.read(read))


@router.get("/trials/{number}", response_model=TrialDetail)
def trial(database: Reading, study: StudyKey, number: TrialNumber) -> Response:
    """One trial with its attempts and the provenance of its values."""

    def read(store: Store) -> TrialDetail:
        found = store.trials.by_number(store.studies.get(study).id, number)
        attempts = [
            AttemptView(
                attempt=one.attempt,
                worker=one.worker,
                started_at=one.started_at,
                ended_at=one.ended_at,
                end=one.end,
                message=one.message,
            )
            for one in store.attempts.all(found.id)
        ]
        return TrialDetail(**trial_view(found).model_dump(), attempts=attempts)

    return shown(database.read(read))


@router.get("/trials/{number}/curve")
def curve(database: Reading, study: StudyKey, number: TrialNumber) -> Curve:
    """The learning curve of a trial's last attempt."""

    def read(store: Store) -> Curve:
        found = store.trials.by_number(store.studies.get(study).id, number)
        epochs = [Epoch.model_validate(epoch) for epoch in store.attempts.curve(found.id)]
        return Curve(attempt=found.attempt, epochs=epochs, removed=store.curves.is_removed(found.id))

    return database.read(read)


@router.post("/forget-curves", response_model=ForgottenCurves)
async def forget(study: StudyKey, asked: CurveRetention, mutating: Mutating) -> Response:
    """Remove the learning curves of old trials, a few hundred trials a request; all else of them stays."""
    place = read_cursor(asked.cursor, (row_number, row_number))
    after = FIRST if place is None else Ended(*place)
    retention = Retention(timedelta(days=asked.older_than_days), asked.keep_best)

    def work(store: Store) -> ForgottenCurves:
        done = forget_curves(store, study, retention, after, dry_run=asked.dry_run)
        following = done.following and write_cursor(done.following.event, done.following.number)
        return ForgottenCurves(curves=done.curves, bytes=done.size, next_cursor=following)

    return await mutating.answer(work)


@router.post("/trials", status_code=201, response_model=TrialList)
async def give(study: StudyKey, given: GivenTrials, mutating: Mutating) -> Response:
    """Enqueue values to try, or import results, also those of another study: all of the trials, or none."""

    def work(store: Store) -> TrialList:
        if given.from_study is not None:
            started = warm_start(store, study, given.from_study)
            return _taken_in(started.trials, started.count, started.skipped)
        wanted = [Given(one.params, one.value, one.samples) for one in given.trials or ()]
        return _taken_in(take_in(store, study, wanted), len(wanted))

    return await mutating.answer(work, 201)


@router.post("/trials/{number}/cancel", response_model=TrialView)
async def cancel(study: StudyKey, number: TrialNumber, mutating: Mutating) -> Response:
    """Cancel a trial; one that runs is told so at its next report."""
    return await mutating.answer(lambda store: trial_view(cancel_trial(store, study, number)))


@router.post("/trials/{number}/retry", response_model=TrialView)
async def retry(study: StudyKey, number: TrialNumber, mutating: Mutating) -> Response:
    """Let a failed or cancelled trial try again with the same values."""
    return await mutating.answer(lambda store: trial_view(retry_trial(store, study, number)))


@router.get(
    "/best",
    response_model=Best,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def best(
    request: Request,
    database: Reading,
    study: StudyKey,
    n: Annotated[int, Query(ge=1, description=f"Above {MAX_PAGE} it counts as {MAX_PAGE}.")] = 5,
    round_number: RoundNumber = None,
) -> Response:
    """The best trials, best first; as lines of text for a client that accepts text/plain."""
    ranked = database.read(lambda store: best_trials(store, store.studies.get(study), min(n, MAX_PAGE), round_number))
    accepted = request.headers.get("accept", "*/*")
    if quality("text/plain", accepted) > quality("application/json", accepted):
        return PlainTextResponse("".join(f"{best_line(one)}\n" for one in ranked))
    return shown(Best(items=[best_view(one) for one in ranked]))


def _taken_in(taken: list[Trial], count: int, skipped: int = 0) -> TrialList:
    return TrialList(items=[trial_view(one) for one in taken], count=count, skipped=skipped)


def _value(part: object) -> float | None:
    if part is None:
        return None
    if isinstance(part, int | float) and math.isfinite(number := float(part)):
        return number
    raise ValueError(part)
