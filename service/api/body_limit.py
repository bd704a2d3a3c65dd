"""Refuses request bodies that are larger than the server takes in."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.protocol import Problem


class BodyTooLarge(HTTPException):
    """More bytes came than the limit allows; of this type, since the framework calls any other a 400."""

    def __init__(self, largest: int) -> None:
        super().__init__(413, f"The body may have at most {largest} bytes; send less, or in parts.")


class BodyLimit:
    """Middleware that counts a body as it comes in, whatever its headers say; weights may be larger than the rest."""

    def __init__(self, app: ASGIApp, largest: int, largest_weights: int) -> None:
        self._app, self._largest, self._largest_weights = app, largest, largest_weights

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        largest = self._largest_weights if scope["path"].endswith("/weights") else self._largest
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > largest:
            await self._refuse(scope, send, largest)
            return
        try:
            await self._app(scope, self._counted(receive, largest), send)
        except BodyTooLarge:
            await self._refuse(scope, send, largest)

    def _counted(self, receive: Receive, largest: int) -> Receive:
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > largest:
                raise BodyTooLarge(largest)
            return message

        return counted

    async def _refuse(self, scope: Scope, send: Send, largest: int) -> None:
        document = Problem(
            type="/problems/body-too-large",
            title="The request is too large",
            status=413,
            detail=f"The body may have at most {largest} bytes; send less, or in parts.",
            instance=scope["path"],
        )
        headers = [(b"content-type", b"application/problem+json"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": document.model_dump_json().encode()})
