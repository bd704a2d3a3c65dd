"""The calls of workers: claim, report, complete, fail, release."""

from time import monotonic

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from service.api.addresses import API
from service.api.mutation import Mutating, respond
from service.api.problems import SHUTTING_DOWN, problem
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
from service.storage.keys import StoredAnswer
from service.storage.store import Store
from service.storage.workers import Terms

router = APIRouter(prefix=API, tags=["work"], route_class=StrictRoute)

Waiting = Notifier[StoredAnswer]
PAUSED_SECONDS = 1.0
"""How often a paused worker that waits is looked at again: somebody may have released it."""


@router.post("/claims", response_model=Claimed)
async def claim(request: Request, wanted: ClaimRequest, mutating: Mutating) -> Response:
    """Lease trials; waits up to `wait_seconds` for the first, then answers with none."""
    notifier: Waiting = request.app.state.notifier
    request.state.worker = wanted.worker
    terms = Terms(tuple(wanted.objectives), tuple(wanted.purposes), wanted.study)
    pause_after: int = request.app.state.pause_worker_after
    if notifier.closing:
        return problem(request, SHUTTING_DOWN, "Ask again when the server is back.", headers={"Retry-After": "1"})

    def work(store: Store) -> Claimed:
        given = claim_trials(store, wanted.worker, terms, wanted.count, wanted.request_id, pause_after)
        return claimed_view(given.claims, given.paused)

    async def in_turn() -> StoredAnswer | None:
        # Nobody would ever run what is leased to a worker that has hung up.
        said = first if await request.is_disconnected() else await mutating.attempt(work, keep=_has_trials, joins=True)
        return None if said.body == _NOTHING and said is not first else said

    seen, seconds = notifier.generation, min(wanted.wait_seconds, MAX_WAIT_SECONDS)
    first = await mutating.attempt(work, keep=_has_trials, joins=True)
    if seconds == 0 or not _is_empty(first):
        return respond(first)
    if first.body == _NOTHING:
        return respond(await notifier.wait(terms, wanted.count, in_turn, seconds, seen) or first)
    # A worker that is paused waits without a place in the line: nobody is to be passed by for it.
    said, end_at = first, monotonic() + seconds
    while said.body == first.body and not notifier.closing and (left := end_at - monotonic()) > 0:
        await notifier.wait(_FOR_NOTHING, wanted.count, in_turn, min(left, PAUSED_SECONDS), notifier.generation)
        said = first if notifier.closing else await in_turn() or first
    return respond(said)


@router.post("/trials/{trial_id}/report", response_model=ReportAnswer)
async def report(trial_id: TrialId, said: ReportRequest, mutating: Mutating) -> Response:
    """Report epochs of the learning curve, or none as a heartbeat; renews the lease, or says to stop."""

    def work(store: Store) -> ReportAnswer:
        answer = report_epochs(store, trial_id, said.lease, _numbers(said.epochs), mutating.may_claim(said.claim_next))
        if isinstance(answer, Stop):
            claimed = claimed_view(answer.claimed)
            return ReportAnswer(action="stop", reason=answer.reason, expires_at=None, claimed=claimed)
        return ReportAnswer(
            action="continue",
            reason=None,
            expires_at=answer.expires_at,
            report_at=answer.report_at,
            # What is left to be the default is copied each time.
            claimed=_NOTHING_CLAIMED,
        )

    return await mutating.answer(work, joins=True)


@router.post("/trials/{trial_id}/complete", response_model=CompleteAnswer)
async def complete(trial_id: TrialId, said: CompleteRequest, mutating: Mutating) -> Response:
    """Record a trial's value, and claim the next trials in the same request.

    Where the answer was lost, the same completion said again gets the stored result, and the trials that it claimed.
    """

    claims = mutating.may_claim(said.claim_next)

    def work(store: Store) -> CompleteAnswer:
        done = complete_trial(store, trial_id, said.lease, said.value, said.samples, _numbers(said.epochs), claims)
        return CompleteAnswer(trial=trial_view(done.trial), claimed=claimed_view(done.claimed))

    return await mutating.answer(work, joins=True)


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
        ),
        joins=True,
    )


@router.post("/trials/{trial_id}/release", response_model=TrialView)
async def release(trial_id: TrialId, said: ReleaseRequest, mutating: Mutating) -> Response:
    """Give a trial back; the attempt does not count."""
    return await mutating.answer(
        lambda store: trial_view(release_trial(store, trial_id, said.lease, _numbers(said.epochs))), joins=True
    )


_NOTHING_CLAIMED = Claimed(trials=[])
_NOTHING = _NOTHING_CLAIMED.model_dump_json()
_NO_TRIALS = _NOTHING.removesuffix("}")
_FOR_NOTHING = Terms((), ())


def _is_empty(answer: StoredAnswer) -> bool:
    """Whether a claim was given nothing, be it said why or not."""
    return answer.body.startswith(_NO_TRIALS)


def _has_trials(answer: BaseModel) -> bool:
    return isinstance(answer, Claimed) and bool(answer.trials)


def _numbers(epochs: list[Epoch]) -> list[EpochNumbers]:
    return [epoch.model_dump() for epoch in epochs]
