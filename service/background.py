"""What the server does by itself, again and again, each in a thread of its own; and what removes what is deleted."""

import logging
import threading
from collections.abc import Callable
from time import monotonic, thread_time

from service.operations.remove import remove_portion
from service.storage.condition import StorageUnavailable
from service.storage.store import Database

log = logging.getLogger("shibori.background")
Task = Callable[[], None]
REST = 4
"""So many times as long as a task has computed, it rests."""
PORTIONS_A_TURN = 100
# Suggestions for many studies may take minutes; a turn that takes longer will hardly end.
LONGEST_TURN_SECONDS = 300.0


class Repeated:
    """A task in a thread of its own, done again after a pause, or sooner when woken."""

    def __init__(self, name: str, task: Task, pause_seconds: float) -> None:
        self._name, self._task, self._pause = name, task, pause_seconds
        self._wake, self._end = threading.Event(), threading.Event()
        self._turned_at, self._rested_at = monotonic(), 0.0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> "Repeated":
        self._thread.start()
        return self

    def wake(self) -> None:
        self._wake.set()

    def rest(self) -> None:
        """For the task, between its parts: however much it has to do, it leaves the processor to those who answer."""
        self.pause(REST * (thread_time() - self._rested_at))
        self._rested_at = thread_time()

    def pause(self, seconds: float) -> bool:
        """For the task, where it has held up others; true, and cut short, when it is to end."""
        return self._end.wait(seconds)

    def trouble(self) -> str | None:
        """What keeps the task from being done."""
        if not self._thread.is_alive():
            return "its thread has ended"
        since = monotonic() - self._turned_at - self._pause
        return f"its last turn ended {since:.0f} s ago" if since > LONGEST_TURN_SECONDS else None

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.is_set():
            self._wake.wait(self._pause)
            self._wake.clear()
            self._rested_at = thread_time()
            if not self._end.is_set():
                self._once()
            self.rest()

    def _once(self) -> None:
        try:
            self._task()
        except StorageUnavailable:
            log.debug("%s has to wait for the database", self._name)
        except Exception:
            log.exception("%s failed and will be tried again", self._name)
        self._turned_at = monotonic()


class Remover:
    """Removes the rows of deleted studies while its server leads, and lets others write for as long in between."""

    def __init__(self, database: Database, leads: Callable[[], bool], pause: Callable[[float], bool]) -> None:
        self._database, self._leads, self._pause = database, leads, pause

    def remove(self) -> None:
        for _ in range(PORTIONS_A_TURN):
            # To find out that there is none is no reason to write.
            if not self._leads() or not self._database.read(lambda store: store.deletions.pending()):
                return
            start = monotonic()
            if not self._database.write(remove_portion) or self._pause(monotonic() - start):
                return
