"""Ends a server in order at the first signal, and at once at the second."""

import gc
import multiprocessing
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from uvicorn.server import HANDLED_SIGNALS


class OrderlyServer(uvicorn.Server):
    """What waits is answered, what is under way is finished, and then the server ends."""

    def __init__(self, config: uvicorn.Config, close: Callable[[], None]) -> None:
        """`close` is called first: from then on nothing new is begun, and nothing waits."""
        super().__init__(config)
        self._close = close
        self._ended_by = 0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and have the collector pass by what is there from then on, which would hold up a request for long."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handles signals within the block; an end by SIGTERM is then no failure, as it is where they are raised again.

        Nobody handles SIGTERM before, so that one which comes while the server starts is not lost.
        """
        before = {number: signal.signal(number, self.handle_exit) for number in HANDLED_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if self._ended_by == signal.SIGINT:
            raise KeyboardInterrupt

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit:
            _end_at_once(sig)
        self._ended_by = sig
        self._close()
        super().handle_exit(sig, frame)


def _end_at_once(number: int) -> None:
    # What was acknowledged is on the disk; the processes that compute would be left behind.
    for child in multiprocessing.active_children():
        child.kill()
    os._exit(128 + number)
