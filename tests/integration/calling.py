"""Calls an application as a server does, with its event loop in a thread of its own."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

import httpx2
from fastapi import FastAPI

Answer = TypeVar("Answer")


class Caller:
    """An application that is open until `close`; several threads may call it at once.

    Starlette's client hands every request over to its thread eight times, which took as long as to answer it.
    """

    def __init__(self, app: FastAPI) -> None:
        self._loop, self._closed = asyncio.new_event_loop(), asyncio.Event()
        # For as long as one task lasts, the threads of its endpoints do so too.
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._closed.wait(),), daemon=True)
        self._thread.start()
        self._open = app.router.lifespan_context(app)
        self._client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app, raise_app_exceptions=False), base_url="http://testserver"
        )
        self._wait_for(self._open.__aenter__())

    def close(self) -> None:
        self._wait_for(self._open.__aexit__(None, None, None))
        self._wait_for(self._client.aclose())
        self._loop.call_soon_threadsafe(self._closed.set)
        self._thread.join()
        self._loop.close()

    def get(self, url: str, **more: Any) -> httpx2.Response:
        return self.request("GET", url, **more)

    def post(self, url: str, **more: Any) -> httpx2.Response:
        return self.request("POST", url, **more)

    def put(self, url: str, **more: Any) -> httpx2.Response:
        return self.request("PUT", url, **more)

    def patch(self, url: str, **more: Any) -> httpx2.Response:
        return self.request("PATCH", url, **more)

    def delete(self, url: str, **more: Any) -> httpx2.Response:
        return self.request("DELETE", url, **more)

    def request(self, method: str, url: str, **more: Any) -> httpx2.Response:
        return self._wait_for(self._client.request(method, url, **more))

    def _wait_for(self, answer: Coroutine[Any, Any, Answer]) -> Answer:
        return asyncio.run_coroutine_threadsafe(answer, self._loop).result()
