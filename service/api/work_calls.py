"""Takes the calls that workers make by the hundred a second past all that FastAPI does for a request."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.addresses import CLAIMS, TRIALS
from service.api.mutation import Mutation
from service.api.problems import answer_to
from service.api.strict_json import loads
from service.protocol import LARGEST_ID


@dataclass(frozen=True, slots=True)
class _Call:
    """A route of a trial's id and a body, or of the request and a body."""

    route: APIRoute
    answer: Callable[[Any, BaseModel, Mutation], Coroutine[Any, Any, Response]]
    body: type[BaseModel]

    @classmethod
    def of(cls, route: APIRoute) -> "_Call":
        (body,) = route.dependant.body_params
        return cls(route, route.endpoint, body.field_info.annotation)  # type: ignore[arg-type]


class WorkCalls:
    """Middleware that answers a claim or a call on a trial by itself where nothing is unusual about it.

    The application documents these calls as any other, and answers what has an Idempotency-Key, another content type
    or a fault: all that it looks up for a request takes longer than the rest of a report.
    """

    def __init__(self, app: ASGIApp, router: APIRouter) -> None:
        self._app = app
        routes = [route for route in router.routes if isinstance(route, APIRoute)]
        self._calls: Mapping[str, _Call] = {_name_of(route.path): _Call.of(route) for route in routes}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        named = self._named(scope) if scope["type"] == "http" else None
        if named is None:
            await self._app(scope, receive, send)
            return
        trial, call = named
        # As the router leaves it, for those who count and log.
        scope["route"], scope["path_params"] = call.route, {} if trial is None else {"trial_id": trial}
        request = Request(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            # Nobody hears it; it is counted as no fault of the server.
            await Response(status_code=400)(scope, receive, send)
            return
        if (said := _read(body, call.body)) is None:
            await self._app(scope, _once_more(body, receive), send)
            return
        try:
            response = await call.answer(request if trial is None else int(trial), said, Mutation(request))
        except Exception as error:  # noqa: BLE001 (what nobody has foreseen is raised again)
            response = await answer_to(request, error)
        await response(scope, receive, send)

    def _named(self, scope: Scope) -> tuple[str | None, _Call] | None:
        """The trial, where there is one, and the call; None where somebody has to look more closely."""
        path: str = scope["path"]
        if scope["method"] != "POST" or scope.get("root_path") or not path.startswith((CLAIMS, TRIALS)):
            return None
        headers = dict(scope["headers"])
        if b"idempotency-key" in headers or headers.get(b"content-type") != b"application/json":
            return None
        if not path.startswith(TRIALS):
            return (None, self._calls[CLAIMS]) if path == CLAIMS else None
        trial, _, name = path[len(TRIALS) :].partition("/")
        return (trial, self._calls[name]) if name in self._calls and _is_id(trial) else None


def _name_of(path: str) -> str:
    """The last word of a call on a trial, which no other path is told by."""
    return path.rpartition("/")[2] if path.startswith(TRIALS) else path


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19 and 0 < int(text) <= LARGEST_ID


def _read(body: bytes, model: type[BaseModel]) -> BaseModel | None:
    try:
        return model.model_validate(loads(body))
    except (ValidationError, ValueError):
        return None


def _once_more(body: bytes, receive: Receive) -> Receive:
    """Brings a body that was taken in already, and then what comes after it."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def brought() -> Message:
        return messages.pop() if messages else await receive()

    return brought
