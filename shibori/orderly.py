"""Ends a server in order at the first signal, and at once at the second."""

import multiprocessing
import os
from collections.abc import Callable
from types import FrameType

import uvicorn


class OrderlyServer(uvicorn.Server):
    """What waits is answered, what is under way is finished, and then the server ends."""

    def __init__(self, config: uvicorn.Config, close: Callable[[], None]) -> None:
        """`close` is called first: from then on nothing new is begun, and nothing waits."""
        super().__init__(config)
        self._close = close

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit:
            _end_at_once(sig)
        self._close()
        super().handle_exit(sig, frame)


def _end_at_once(number: int) -> None:
    # What was acknowledged is on the disk; the processes that compute would be left behind.
    for child in multiprocessing.active_children():
        child.kill()
    os._exit(128 + number)
