"""What the server does by itself, again and again: it takes back what has expired."""

import logging
import threading
from collections.abc import Callable
from functools import partial

from service.operations.conclude import conclude
from service.operations.expire import expire_leases
from service.storage.condition import StorageUnavailable
from service.storage.store import Database, Store

log = logging.getLogger("shibori.background")
Task = Callable[[], None]


class Repeated:
    """A task in a thread of its own, done again after a pause, or sooner when woken."""

    def __init__(self, name: str, task: Task, pause_seconds: float) -> None:
        self._name, self._task, self._pause = name, task, pause_seconds
        self._wake, self._stopping = threading.Event(), False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._wake.set()

    def stop(self) -> None:
        self._stopping = True
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(self._pause)
            self._wake.clear()
            if not self._stopping:
                self._once()

    def _once(self) -> None:
        try:
            self._task()
        except StorageUnavailable:
            log.debug("%s has to wait for the database", self._name)
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
    study = store.studies.lock(study_id, wait=True)
    if study is not None:
        expire_leases(store, study)
        conclude(store, study_id)
