"""Writing units of work that wait for their turn."""

import logging
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from service.storage.store import Listener, Result, Signal, Work

log = logging.getLogger("shibori.storage")


class DatabaseClosed(RuntimeError):
    """The database was closed before this unit of work began."""


@dataclass(eq=False, slots=True)
class Unit:
    """What somebody waits for; `tries` tells how often it was begun in vain."""

    work: Work[Any]
    future: Future[Any]
    shares: bool = False
    """Whether it may share a transaction where each unit holds the locks of the others: whatever is short may."""
    tries: int = 0

    @property
    def joins(self) -> bool:
        """Whether it may join a transaction; one that was begun in vain begins its own, after a pause."""
        return self.shares and not self.tries

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
        self._waiting: deque[Unit] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def submit(self, work: Work[Result], *, shares: bool = False) -> Future[Result]:
        future: Future[Result] = Future()
        with self._changed:
            if self._closed:
                raise DatabaseClosed("the database is closed")
            self._append(Unit(work, future, shares))
        return future

    def again(self, units: Sequence[Unit]) -> None:
        """Put these at the end, for whoever takes them; once it is closed, whoever does so must take what is left."""
        with self._changed:
            for unit in units:
                self._append(unit)

    def close(self) -> None:
        """Take no more; whoever takes what is left finds the end behind it."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def wait(self) -> Unit | None:
        """The next one, as soon as there is one; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            return self._waiting.popleft() if self._waiting else None

    def next(self) -> Unit | None:
        """One that waits already, or None."""
        with self._changed:
            return self._waiting.popleft() if self._waiting else None

    def next_to_join(self) -> Unit | None:
        """One that waits already, if the next one joins others."""
        with self._changed:
            return self._waiting.popleft() if self._waiting and self._waiting[0].joins else None

    def refuse(self, error: Exception) -> None:
        """Tell all that wait."""
        while unit := self.next():
            if unit.begin():
                unit.answer(None, error)

    def empty(self) -> bool:
        return not self._waiting

    def _append(self, unit: Unit) -> None:
        self._waiting.append(unit)
        self._changed.notify()


def tell(listener: Listener, signals: frozenset[Signal]) -> None:
    """Tell of a commit: those whose units are in it are to be answered, whatever the listener does."""
    try:
        listener(signals)
    except Exception:
        log.exception("what is to be done after a commit has failed")
