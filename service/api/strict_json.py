"""Reads JSON as RFC 8259 has it, and refuses what a database or another language could not hold."""

import json
import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

DEEPEST = 64
LARGEST_INTEGER = 2**63 - 1
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def loads(body: bytes | str) -> Any:
    """Parse JSON; raises JSONDecodeError for NaN, infinities, huge integers, deep nesting and lone surrogates."""
    text = body.decode("utf-8") if isinstance(body, bytes) else body
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite, parse_int=_storable)
        _check(value, 0)
    except json.JSONDecodeError:
        raise
    except (RecursionError, ValueError) as error:
        raise json.JSONDecodeError(str(error) or "is nested too deeply", "", 0) from error
    return value


class StrictRequest(Request):
    """A request whose body is read strictly."""

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            try:
                self._json = loads(await self.body())
            except UnicodeDecodeError as error:
                raise json.JSONDecodeError("is not UTF-8", "", error.start) from error
        return self._json


class StrictRoute(APIRoute):
    """A route that reads its body strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive))

        return strictly


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON; numbers must be finite")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{text[:40]} is too large for a double-precision number")
    return number


def _storable(text: str) -> int:
    if len(text) > 20 or abs(int(text)) > LARGEST_INTEGER:
        raise ValueError(f"{text[:40]} is too large for a 64-bit integer")
    return int(text)


def _check(value: Any, depth: int) -> None:
    if depth > DEEPEST:
        raise ValueError(f"is nested deeper than {DEEPEST} levels")
    if isinstance(value, str):
        if _UNSTORABLE.search(value):
            raise ValueError("strings must not hold NUL or lone surrogates")
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check(key, depth)
            _check(item, depth + 1)
