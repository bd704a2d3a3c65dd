"""Writing units of work that wait for their turn."""

import queue
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from service.storage.store import Result, Work


class DatabaseClosed(RuntimeError):
    """The database was closed before this unit of work began."""


@dataclass(eq=False, slots=True)
class Unit:
    """What somebody waits for; `tries` tells how often it was begun in vain."""

    work: Work[Any]
    future: Future[Any]
    tries: int = 0
    alone: bool = False
    """Whether it is to share its transaction with no other."""

    def begin(self) -> bool:
        """False where its caller has gone before it began; from here on it cannot be called off."""
        return self.future.running() or self.future.set_running_or_notify_cancel()

    def answer(self, result: Any, failure: Exception | None) -> None:
        if failure is None:
            self.future.set_result(result)
        else:
            self.future.set_exception(failure)


class Units:
    """A line that any number of threads take from, and that ends when it is closed."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Unit | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False

    def submit(self, work: Work[Result]) -> Future[Result]:
        future: Future[Result] = Future()
        with self._closing:
            if self._closed:
                raise DatabaseClosed("the database is closed")
            self._waiting.put(Unit(work, future))
        return future

    def close(self) -> None:
        """Take no more; whoever takes what is left finds the end behind it."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._waiting.put(None)

    def wait(self) -> Unit | None:
        """The next one, as soon as there is one; None at the end."""
        return self._unless_end(self._waiting.get())

    def next(self) -> Unit | None:
        """One that waits already, or None."""
        try:
            return self._unless_end(self._waiting.get_nowait())
        except queue.Empty:
            return None

    def empty(self) -> bool:
        return self._waiting.empty()

    def _unless_end(self, unit: Unit | None) -> Unit | None:
        if unit is None:
            self._waiting.put(None)
        return unit
