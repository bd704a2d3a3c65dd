"""Turns errors into problem documents (RFC 9457): the one table from facts to HTTP."""

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from service.domain import errors
from service.domain.facts import Fact, Happening
from service.domain.space import FieldError
from service.logs import request_id
from service.protocol import FieldFault, Problem
from service.storage.condition import StorageUnavailable
from service.storage.store import OutcomeUnknown

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    status: int
    slug: str
    title: str


KINDS: Mapping[type[errors.ShiboriError], Kind] = {
    errors.InvalidInput: Kind(422, "invalid-input", "The request asks for something that is not possible"),
    errors.StudyNotFound: Kind(404, "study-not-found", "There is no such study"),
    errors.TrialNotFound: Kind(404, "trial-not-found", "There is no such trial"),
    errors.WorkerNotFound: Kind(404, "worker-not-found", "There is no such worker"),
    errors.RoundNotFound: Kind(404, "round-not-found", "There is no such round"),
    errors.FigureNotFound: Kind(404, "figure-not-found", "There is no such figure"),
    errors.StudyNameTaken: Kind(409, "study-name-taken", "The name is taken"),
    errors.StudyIsRunning: Kind(409, "study-is-running", "The study is running"),
    errors.TransitionRefused: Kind(409, "transition-refused", "This cannot be done in this state"),
    errors.BudgetUsedUp: Kind(409, "budget-used-up", "The budget has no room for this"),
    errors.LeaseLost: Kind(409, "lease-lost", "The lease is no longer held"),
    errors.TrialAlreadyFinished: Kind(409, "trial-already-finished", "The trial has another result already"),
    errors.NothingToNarrow: Kind(409, "nothing-to-narrow", "The data tell of no range to change"),
    errors.JudgementTooSlow: Kind(503, "judgement-too-slow", "To judge the ranges takes too long now"),
    errors.NotReplayable: Kind(409, "not-replayable", "The suggestion cannot be computed again"),
    errors.WeightsNotKept: Kind(409, "weights-not-kept", "The study keeps no weights"),
    errors.WeightsNotFound: Kind(404, "weights-not-found", "There are no weights"),
    errors.NothingToConfirm: Kind(409, "nothing-to-confirm", "There is no trial to confirm"),
    errors.ConfirmationNotFound: Kind(404, "confirmation-not-found", "There is no confirmation"),
    errors.ConfirmationDiffers: Kind(409, "confirmation-differs", "The confirmation so far is of another kind"),
    errors.NothingConfirmed: Kind(409, "nothing-confirmed", "There is no best confirmed trial"),
    errors.FinalTestNotFound: Kind(404, "final-test-not-found", "There is no final test"),
    errors.AnotherTrialPicked: Kind(409, "another-trial-picked", "The final test is of another trial"),
    errors.NoTestSet: Kind(422, "no-test-set", "There is no test set"),
    errors.IdempotencyKeyReused: Kind(422, "idempotency-key-reused", "The Idempotency-Key belongs to another request"),
}
VALIDATION = Kind(422, "invalid-input", "The request has fields that are wrong")
UNAVAILABLE = Kind(503, "storage-unavailable", "The database cannot do this now")
SHUTTING_DOWN = Kind(503, "shutting-down", "The server is about to end")
OUTCOME_UNKNOWN = Kind(503, "outcome-unknown", "The database was lost during the commit")
RETRY_AFTER_SECONDS = 1
"""Soon, for leases of a second too: all who hold one are given their whole time again when writing goes on."""
_AGAIN = {"Retry-After": str(RETRY_AFTER_SECONDS)}
RETRY_REFUSED_SECONDS = 5
"""For as long nobody else could write while ranges were judged in vain: others are to have half of the time."""
_LATER = {"Retry-After": str(RETRY_REFUSED_SECONDS)}
UNFORESEEN = Kind(500, "server-error", "The server failed")
HTTP_TITLES = {404: "not-found", 405: "method-not-allowed", 413: "body-too-large", 415: "unsupported-media-type"}


def problem(
    request: Request,
    kind: Kind,
    detail: str,
    faults: Sequence[FieldFault] = (),
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, object] = MappingProxyType({}),
) -> JSONResponse:
    """A problem document about a request, as the answer to it; it may have more members."""
    document = _document(request.url.path, kind, detail, faults).model_dump() | dict(more)
    return JSONResponse(document, kind.status, headers, MEDIA_TYPE)


def refusal(path: str, error: errors.ShiboriError) -> Problem:
    """The problem document for what a request to a path cannot have."""
    kind = next(KINDS[known] for known in type(error).__mro__ if known in KINDS)
    faults = error.faults if isinstance(error, errors.InvalidInput) else ()
    return _document(path, kind, str(error), [FieldFault(field=f.field, message=f.message) for f in faults])


def install(app: FastAPI) -> None:
    """Answer every error of an application with a problem document."""
    for kind, handler in _FORESEEN.items():
        app.add_exception_handler(kind, handler)
    app.add_exception_handler(Exception, _unforeseen)


async def answer_to(request: Request, error: Exception) -> JSONResponse:
    """The same for one request; raises an error that nobody has foreseen."""
    handler = next((_FORESEEN[kind] for kind in type(error).__mro__ if kind in _FORESEEN), None)
    if handler is None:
        raise error
    return await handler(request, error)


def _document(path: str, kind: Kind, detail: str, faults: Sequence[FieldFault]) -> Problem:
    return Problem(
        type=f"/problems/{kind.slug}",
        title=kind.title,
        status=kind.status,
        detail=detail,
        instance=path,
        field=faults[0].field if faults else None,
        errors=list(faults),
    )


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, errors.ShiboriError)
    if isinstance(error, errors.LeaseLost):
        request.app.state.happened([Fact(Happening.LEASE_LOST)])
    document = refusal(request.url.path, error)
    return JSONResponse(document.model_dump(), document.status, _LATER if error.passes else None, MEDIA_TYPE)


async def _malformed(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    faults = [field_fault(one) for one in error.errors()]
    detail = "; ".join(f"{fault.field}: {fault.message}" for fault in faults[:10])
    return problem(request, VALIDATION, detail, faults)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    slug = HTTP_TITLES.get(error.status_code, "bad-request" if error.status_code < 500 else "server-error")
    kind = Kind(error.status_code, slug, slug.replace("-", " ").capitalize())
    return problem(request, kind, str(error.detail), headers=error.headers)


async def _unavailable(request: Request, error: Exception) -> JSONResponse:
    detail = f"{error} Ask again in the same words: what was recorded after all is not recorded twice."
    return problem(request, UNAVAILABLE, detail, headers=_AGAIN)


async def _uncertain(request: Request, error: Exception) -> JSONResponse:  # noqa: ARG001
    detail = (
        "This was done, or was not. The same request is safe to send again under the same Idempotency-Key, "
        "or with its lease or request_id; without any of them, look first what there is."
    )
    return problem(request, OUTCOME_UNKNOWN, detail)


async def _unforeseen(request: Request, error: Exception) -> JSONResponse:  # noqa: ARG001
    # The server logs the traceback; what went wrong inside is nothing to tell a client.
    detail = "Something went wrong inside of the server; its log tells what."
    return problem(request, UNFORESEEN, detail, headers={"X-Request-ID": request_id.get() or ""})


_FORESEEN: Mapping[type[Exception], Callable[[Request, Exception], Coroutine[Any, Any, JSONResponse]]] = {
    errors.ShiboriError: _refused,
    RequestValidationError: _malformed,
    HTTPException: _http,
    StorageUnavailable: _unavailable,
    OutcomeUnknown: _uncertain,
}


def field_fault(one: Mapping[str, Any]) -> FieldFault:
    """The field and the sentence of one validation error."""
    place = list(_place(one["loc"]))
    if one["type"] == "json_invalid":
        return FieldFault(field="body", message=f"is not valid JSON: {one.get('ctx', {}).get('error', one['msg'])}")
    cause = one.get("ctx", {}).get("error")
    if isinstance(cause, FieldError) and cause.field:
        place.append(cause.field)
    return FieldFault(field=".".join(place) or "body", message=_sentence(one))


def _place(location: Iterable[Any]) -> Iterable[str]:
    parts = [str(part) for part in location]
    if parts and parts[0] in ("body", "query", "path", "header"):
        parts = parts[1:]
    # The tag of a union is no field of the document.
    in_space = parts[:1] == ["space"]
    return [part for index, part in enumerate(parts) if not (in_space and index == 2 and part in _TAGS)]


_TAGS = ("float", "int", "categorical")


def _sentence(one: Mapping[str, Any]) -> str:
    message = str(one["msg"]).removeprefix("Value error, ")
    match one["type"]:
        case "missing" | "missing_argument":
            return "is required"
        case "extra_forbidden" | "unexpected_keyword_argument":
            return "is no field of this request; leave it out or correct its name"
        case "string_pattern_mismatch":
            return f"must match {one['ctx']['pattern']}, got {str(one['input'])[:80]!r}"
        case _:
            return message[:1].lower() + message[1:]
