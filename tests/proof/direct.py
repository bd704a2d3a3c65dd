"""An application called as a server calls it, without a connection or threads of a client in between."""

import asyncio
import json
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from fastapi import FastAPI

from tests.integration.harness import Api

Message: TypeAlias = MutableMapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    status_code: int
    text: str

    @property
    def content(self) -> bytes:
        return self.text.encode()

    def json(self) -> Any:
        return json.loads(self.text)


class Direct:
    """An application that is open until `close`; its event loop runs while it is asked something."""

    def __init__(self, app: FastAPI) -> None:
        self._app, self._runner = app, asyncio.Runner()
        self._open = app.router.lifespan_context(app)
        self._runner.run(self._open.__aenter__())

    def close(self) -> None:
        self._runner.run(self._open.__aexit__(None, None, None))
        self._runner.close()

    def get(self, path: str) -> Answer:
        return self.request("GET", path)

    def request(self, method: str, path: str, json: Any = None, headers: dict[str, str] | None = None) -> Answer:
        return self._runner.run(self._answer(method, path, json, headers or {}))

    async def _answer(self, method: str, path: str, said: Any, headers: dict[str, str]) -> Answer:
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"" if said is None else json.dumps(said).encode()}

        async def send(message: Message) -> None:
            sent.append(message)

        await self._app(_scope(method, path, headers), receive, send)
        body = b"".join(message.get("body", b"") for message in sent)
        return Answer(sent[0]["status"], body.decode())


class DirectApi(Api):
    def _open(self) -> Any:
        return Direct(self.app)


def _scope(method: str, path: str, headers: dict[str, str]) -> Message:
    said = {"host": "direct", "content-type": "application/json"} | headers
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in said.items()],
        "client": ("client", 1),
        "server": ("direct", 80),
    }
