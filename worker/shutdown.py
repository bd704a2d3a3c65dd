"""The end of a worker process: asked for by a signal or a lost parent, in order, and within seconds."""

import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from worker.exits import INTERRUPTED
from worker.stopping import ShuttingDown

GRACE_SECONDS = 3.0
ENDING = (signal.SIGTERM, signal.SIGINT)


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
    for number in ENDING:
        signal.signal(number, shutdown.on_signal)
    os.register_at_fork(after_in_child=_forget)
    threading.Thread(target=_watch, args=(inbox, parent, leave), name="shutdown", daemon=True).start()


def _forget() -> None:
    """What an objective forks ends by a signal as any other process does, and its parent does not hear of it."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _watch(inbox: int, parent: int, leave: Callable[[], None]) -> None:
    if not _is_asked(inbox, parent):
        os.kill(os.getpid(), signal.SIGTERM)
        _is_asked(inbox)
    if not _is_asked(inbox, seconds=GRACE_SECONDS):
        threading.Thread(target=leave, name="leave", daemon=True).start()
        _is_asked(inbox)
    os._exit(INTERRUPTED)


def _is_asked(inbox: int, *others: int, seconds: float = float("inf")) -> bool:
    """Whether a signal asks for the end before another file has something to say; an objective may take others."""
    end_at = time.monotonic() + seconds
    while True:
        left = None if seconds == float("inf") else max(0.0, end_at - time.monotonic())
        if inbox not in select.select([inbox, *others], [], [], left)[0]:
            return False
        if os.read(inbox, 1)[0] in ENDING:
            return True
