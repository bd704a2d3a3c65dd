"""Counts and logs every request, and gives it an id that its log lines and its answer carry."""

import logging
import os
import re
from collections.abc import Callable
from time import perf_counter
from typing import Any, Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.about import about
from service.api.addresses import CLAIMS, TRIALS
from service.logs import request_id

log = logging.getLogger("shibori.requests")
Requests = Literal["all", "mutations", "none"]
Count = Callable[[str, str, int, float], None]
"""Hears of each answer: its method, the template of its route, its status and its seconds."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
READING = frozenset({"GET", "HEAD", "OPTIONS"})
_GIVEN_ID = re.compile(rb"[\x20-\x7e]{1,128}")


class Observed:
    """Middleware around everything else."""

    def __init__(self, app: ASGIApp, count: Count, logged: Requests) -> None:
        self._app, self._count, self._logged = app, count, logged

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status, name = perf_counter(), 500, _id_of(scope)
        # The task of a request ends with it, and what is logged of an error comes after this.
        request_id.set(name.decode())

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", name)]
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            self._note(scope, status, perf_counter() - start)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        method, route = scope["method"] if scope["method"] in METHODS else "other", template(scope)
        self._count(method, route, status, seconds)
        level = _level(method, route, status)
        if log.isEnabledFor(level) and (
            self._logged == "all" or (self._logged == "mutations" and method not in READING)
        ):
            log.log(level, "answered", extra=_fields(scope, method, route, status, seconds))


def _level(method: str, route: str, status: int) -> int:
    """What workers ask by the hundred a second is worth a line only where it went wrong."""
    routine = method == "POST" and (route == CLAIMS or route.startswith(TRIALS))
    return logging.DEBUG if routine and status < 400 else logging.INFO


def template(scope: Scope) -> str:
    """The path of a request's route with the names of its parameters; one word for what no route is for."""
    path: str | None = getattr(scope.get("route"), "path", None)
    return path or "unmatched"


def _id_of(scope: Scope) -> bytes:
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    return given if _GIVEN_ID.fullmatch(given) else os.urandom(12).hex().encode()


def _fields(scope: Scope, method: str, route: str, status: int, seconds: float) -> dict[str, Any]:
    fields = {"method": method, "route": route, "status": status, "milliseconds": round(seconds * 1000, 1)}
    return {name: value for name, value in (fields | about(scope)).items() if value is not None}
