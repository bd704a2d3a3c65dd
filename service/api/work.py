"""The calls of workers: claim, report, complete, fail, release."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from service.api.mutation import Mutating, respond
from service.api.reading import TrialId
from service.api.strict_json import StrictRoute
from service.api.views import claimed_view, trial_view
from service.notifier import Notifier
from service.operations.claim import claim_trials
from service.operations.complete import complete_trial
from service.operations.fail import fail_trial
from service.operations.release import release_trial
from service.operations.report import Stop, report_epochs
from service.protocol import (
    MAX_WAIT_SECONDS,
    Claimed,
    ClaimRequest,
    CompleteAnswer,
    CompleteRequest,
    Epoch,
    FailRequest,
    ReleaseRequest,
    ReportAnswer,
    ReportRequest,
    TrialView,
)
from service.storage.attempts import EpochNumbers
from service.storage.store import Store
from service.storage.workers import Terms

router = APIRouter(tags=["work"], route_class=StrictRoute)

# Another server on the same database cannot wake this one's waiting claims.
LONGEST_SLEEP_SECONDS = 1.0


def _notifier(request: Request) -> Notifier:
    notifier: Notifier = request.app.state.notifier
    return notifier


@router.post("/claims", response_model=Claimed)
async def claim(
    request: Request, wanted: ClaimRequest, mutating: Mutating, notifier: Annotated[Notifier, Depends(_notifier)]
) -> Response:
    """Lease trials; waits up to `wait_seconds` for the first, then answers with none."""
    terms = Terms(wanted.objectives, wanted.purposes, wanted.study)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + min(wanted.wait_seconds, MAX_WAIT_SECONDS)

    def work(store: Store) -> Claimed:
        return claimed_view(claim_trials(store, wanted.worker, terms, wanted.count, wanted.request_id))

    while True:
        seen = notifier.generation
        answer = await mutating.attempt(work, keep=_has_trials)
        remaining = deadline - loop.time()
        if remaining <= 0 or answer.body != _NOTHING or notifier.closing:
            return respond(answer)
        await notifier.wait(seen, min(remaining, LONGEST_SLEEP_SECONDS))
        # Nobody would ever run what is leased to a worker that has hung up.
        if await request.is_disconnected():
            return respond(answer)


@router.post("/trials/{trial_id}/report", response_model=ReportAnswer)
async def report(trial_id: TrialId, said: ReportRequest, mutating: Mutating) -> Response:
    """Report epochs of the learning curve, or none as a heartbeat; renews the lease, or says to stop."""

    def work(store: Store) -> ReportAnswer:
        answer = report_epochs(store, trial_id, said.lease, _numbers(said.epochs), said.claim_next)
        if isinstance(answer, Stop):
            claimed = claimed_view(answer.claimed)
            return ReportAnswer(action="stop", reason=answer.reason, expires_at=None, claimed=claimed)
        return ReportAnswer(action="continue", reason=None, expires_at=answer.expires_at, report_at=answer.report_at)

    return await mutating.answer(work)


@router.post("/trials/{trial_id}/complete", response_model=CompleteAnswer)
async def complete(trial_id: TrialId, said: CompleteRequest, mutating: Mutating) -> Response:
    """Record a trial's value, and claim the next trials in the same request."""

    def work(store: Store) -> CompleteAnswer:
        done = complete_trial(
            store, trial_id, said.lease, said.value, said.samples, _numbers(said.epochs), said.claim_next
        )
        return CompleteAnswer(trial=trial_view(done.trial), claimed=claimed_view(done.claimed))

    return await mutating.answer(work)


@router.post("/trials/{trial_id}/fail", response_model=TrialView)
async def fail(trial_id: TrialId, said: FailRequest, mutating: Mutating) -> Response:
    """Record that a trial failed and why; it may try again where `retryable` is true."""
    return await mutating.answer(
        lambda store: trial_view(
            fail_trial(
                store,
                trial_id,
                said.lease,
                said.reason,
                said.message,
                retryable=said.retryable,
                epochs=_numbers(said.epochs),
            )
        )
    )


@router.post("/trials/{trial_id}/release", response_model=TrialView)
async def release(trial_id: TrialId, said: ReleaseRequest, mutating: Mutating) -> Response:
    """Give a trial back; the attempt does not count."""
    return await mutating.answer(
        lambda store: trial_view(release_trial(store, trial_id, said.lease, _numbers(said.epochs)))
    )


_NOTHING = Claimed(trials=[]).model_dump_json()


def _has_trials(answer: BaseModel) -> bool:
    return isinstance(answer, Claimed) and bool(answer.trials)


def _numbers(epochs: list[Epoch]) -> list[EpochNumbers]:
    return [epoch.model_dump() for epoch in epochs]
