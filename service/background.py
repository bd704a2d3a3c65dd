"""What the server does by itself: takes expired leases back, and keeps slow suggestions ahead."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context
from typing import Any

from pydantic import BaseModel

from service import search
from service.operations.conclude import conclude
from service.operations.expire import expire_leases
from service.operations.suggest import Request, plan_suggestions, record_suggestions
from service.search.base import Answer, Question
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
        except Exception:
            log.exception("%s failed and will be tried again", self._name)


def sweep(database: Database) -> None:
    """Take back what expired, end studies whose time is up, forget old idempotency keys."""
    for study_id in database.read(_studies_to_tidy):
        database.write(partial(_tidy, study_id))
    database.write(lambda store: store.keys.drop_old(store.now))


class Suggester:
    """Asks the algorithms that are too slow for a claim, in a process of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._executor: ProcessPoolExecutor | None = None

    def suggest_for_all(self) -> None:
        """Bring the suggestions of every running study up to date."""
        for study_id in self._database.read(lambda store: store.studies.running()):
            request = self._database.read(partial(_plan, study_id))
            if request is not None:
                answer = self._ask(request)
                self._database.write(partial(_record, request, answer))

    def close(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)

    def _ask(self, request: Request) -> Answer:
        self._executor = self._executor or ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        algorithm = request.study.spec.search.algorithm
        try:
            return self._executor.submit(suggest, algorithm, request.question, request.settings, request.count).result()
        except BrokenProcessPool:
            self._executor = None
            raise


def suggest(algorithm: str, question: Question, settings: BaseModel, count: int) -> Answer:
    """Ask an algorithm by name, in the process that makes suggestions."""
    found: Any = search.find(algorithm)
    answer: Answer = found.suggest(question, settings, count)
    return answer


def _studies_to_tidy(store: Store) -> list[str]:
    return sorted({*store.trials.studies_with_expired(store.now), *store.studies.out_of_time(store.now)})


def _tidy(study_id: str, store: Store) -> None:
    # One study a transaction: who has one locked must not wait for another.
    if store.studies.lock(study_id, wait=True) is not None:
        expire_leases(store, study_id)
        conclude(store, study_id)


def _plan(study_id: str, store: Store) -> Request | None:
    return plan_suggestions(store, study_id)


def _record(request: Request, answer: Answer, store: Store) -> None:
    record_suggestions(store, request, answer)
