"""The route of the calls that workers make by the hundred a second."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

from service.api.mutation import Mutation
from service.api.strict_json import StrictRequest, loads
from service.protocol import LARGEST_ID


class WorkRoute(APIRoute):
    """A route of a trial's id and a body, which takes a request apart by itself where nothing is unusual about it.

    FastAPI documents it as any other, and answers what has an Idempotency-Key, another content type or a fault: all
    that it looks up for a request takes longer than the rest of a report.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        usual, call = super().get_route_handler(), self.endpoint
        (body,) = self.dependant.body_params
        model: type[BaseModel] = body.field_info.annotation  # type: ignore[assignment]

        async def handle(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            asked = await _plain(strict, model)
            if asked is None:
                return await usual(strict)
            answer: Response = await call(*asked, Mutation.of(strict))
            return answer

        return handle


async def _plain(request: Request, model: type[BaseModel]) -> tuple[int, BaseModel] | None:
    """The trial's id and the body; None where somebody has to look more closely."""
    trial = request.path_params["trial_id"]
    headers = dict(request.scope["headers"])
    if b"idempotency-key" in headers or headers.get(b"content-type") != b"application/json" or not _is_id(trial):
        return None
    try:
        return int(trial), model.model_validate(loads(await request.body()))
    except (ValidationError, ValueError):
        return None


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19 and 0 < int(text) <= LARGEST_ID
