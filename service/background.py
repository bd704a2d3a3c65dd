"""What the server does by itself, again and again: it takes back what has expired."""

import logging
import threading
from collections.abc import Callable
from functools import partial
from time import thread_time

from service.operations.conclude import conclude
from service.operations.expire import expire_leases
from service.storage.store import Database, Store

log = logging.getLogger("shibori.background")
Task = Callable[[], None]
REST = 4
"""So many times as long as a task has computed, it rests."""


class Repeated:
    """A task in a thread of its own, done again after a pause, or sooner when woken."""

    def __init__(self, name: str, task: Task, pause_seconds: float) -> None:
        self._name, self._task, self._pause = name, task, pause_seconds
        self._wake, self._end = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._wake.set()

    def stop(self) -> None:
        self._end.set()
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.is_set():
            self._wake.wait(self._pause)
            self._wake.clear()
            began = thread_time()
            if not self._end.is_set():
                self._once()
            # However often it is woken, it leaves the processor to those who answer.
            self._end.wait(REST * (thread_time() - began))

    def _once(self) -> None:
        try:
            self._task()
        except Exception:
            log.exception("%s failed and will be tried again", self._name)


def sweep(database: Database) -> None:
    """Take back what expired, end studies whose time is up, forget old idempotency keys."""
    for study_id in database.read(_studies_to_tidy):
        database.write(partial(_tidy, study_id))
    database.write(lambda store: store.keys.drop_old(store.now))


def _studies_to_tidy(store: Store) -> list[str]:
    return sorted({*store.trials.studies_with_expired(store.now), *store.studies.out_of_time(store.now)})


def _tidy(study_id: str, store: Store) -> None:
    # One study a transaction: who has one locked must not wait for another.
    if store.studies.lock(study_id, wait=True) is not None:
        expire_leases(store, study_id)
        conclude(store, study_id)
