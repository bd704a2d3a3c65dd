"""The end of a worker process: asked for by a signal or a lost parent, in order, and within seconds."""

import os
import select
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from worker.exits import INTERRUPTED
from worker.stopping import ShuttingDown

GRACE_SECONDS = 3.0


class Shutdown:
    """Whether the process was asked to end; raises that only while it waits for work."""

    def __init__(self) -> None:
        self.requested = False
        self._waiting = False

    def is_requested(self) -> bool:
        return self.requested

    def on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.requested = True
        if self._waiting:
            raise ShuttingDown

    @contextmanager
    def interrupts(self) -> Iterator[None]:
        """What runs inside ends at once, by `ShuttingDown`, when the process shall."""
        self._waiting = True
        try:
            if self.requested:
                raise ShuttingDown
            yield
        finally:
            self._waiting = False


def install(shutdown: Shutdown, leave: Callable[[], None], parent: int) -> None:
    """Takes the signals, and watches from a thread the pipe `parent` that closes with the parent.

    The thread also sees a signal while the main thread is deep in an epoch: `leave` is called
    when it is not done after a grace, and a second signal ends the process at once.
    """
    inbox, outbox = os.pipe()
    os.set_blocking(outbox, False)
    signal.set_wakeup_fd(outbox, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, shutdown.on_signal)
    threading.Thread(target=_watch, args=(inbox, parent, leave), name="shutdown", daemon=True).start()


def _watch(inbox: int, parent: int, leave: Callable[[], None]) -> None:
    if inbox not in select.select([inbox, parent], [], [])[0]:
        os.kill(os.getpid(), signal.SIGTERM)
    os.read(inbox, 1)
    if not select.select([inbox], [], [], GRACE_SECONDS)[0]:
        threading.Thread(target=leave, name="leave", daemon=True).start()
        select.select([inbox], [], [])
    os._exit(INTERRUPTED)
