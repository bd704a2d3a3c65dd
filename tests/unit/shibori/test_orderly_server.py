"""A server that has started."""

import asyncio
import gc
import socket
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from shibori.orderly import OrderlyServer


async def nothing(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """An application that is never asked."""


@pytest.fixture
def thawed() -> Iterator[None]:
    gc.unfreeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("thawed")
def test_it_never_halts_to_look_through_what_was_there_when_it_began_to_serve() -> None:
    server = OrderlyServer(uvicorn.Config(nothing, lifespan="off", log_config=None), lambda: None)
    server.should_exit = True
    with socket.create_server(("127.0.0.1", 0)) as listening:
        asyncio.run(server.serve([listening]))
    # Its modules alone are many times as many.
    assert gc.get_freeze_count() > 1_000
