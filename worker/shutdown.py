"""The end of a worker process: asked for by a signal or a lost parent, in order, and within seconds."""

import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import TypeAlias

from worker.exits import INTERRUPTED
from worker.stopping import ShuttingDown

GRACE_SECONDS = 3.0
Handler: TypeAlias = Callable[[int, FrameType | None], object] | signal.Handlers
ENDING: Mapping[signal.Signals, Handler] = {
    signal.SIGTERM: signal.SIG_DFL,
    signal.SIGINT: signal.default_int_handler,
}
"""What asks for the end, and what it does where nobody takes it."""


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
    os.register_at_fork(
        before=partial(signal.pthread_sigmask, signal.SIG_BLOCK, ENDING),
        after_in_parent=partial(signal.pthread_sigmask, signal.SIG_UNBLOCK, ENDING),
        after_in_child=partial(_forget, shutdown.on_signal),
    )
    threading.Thread(target=_watch, args=(inbox, parent, leave), name="shutdown", daemon=True).start()


def _forget(taken: Handler) -> None:
    """In what an objective forks: a signal ends it as it ends any other process, and its parent hears nothing of it."""
    signal.set_wakeup_fd(-1)
    for number, usual in ENDING.items():
        if signal.getsignal(number) == taken:
            signal.signal(number, usual)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


def _watch(inbox: int, parent: int, leave: Callable[[], None]) -> None:
    if not _is_asked(inbox, parent):
        os.kill(os.getpid(), signal.SIGTERM)
        _is_asked(inbox)
    if not _is_asked(inbox, seconds=GRACE_SECONDS):
        threading.Thread(target=leave, name="leave", daemon=True).start()
        _is_asked(inbox)
    os._exit(INTERRUPTED)


def _is_asked(inbox: int, *others: int, seconds: float = float("inf")) -> bool:
    """Whether a signal asks for the end before the time is up or another file has something to say.

    An objective may take other signals for itself.
    """
    end_at = time.monotonic() + seconds
    while True:
        left = None if seconds == float("inf") else max(0.0, end_at - time.monotonic())
        if inbox not in select.select([inbox, *others], [], [], left)[0]:
            return False
        if os.read(inbox, 1)[0] in ENDING:
            return True
