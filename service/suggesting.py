"""Keeps slow suggestions ahead of the workers, in a process that does nothing else."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from time import perf_counter
from typing import Any, ParamSpec, TypeVar

from pydantic import BaseModel

from service import search
from service.operations.history import Histories
from service.operations.suggest import Pace, Request, plan_suggestions, record_suggestions
from service.search.base import Answer, Question
from service.search.packing import after, unpacked
from service.storage.condition import StorageUnavailable
from service.storage.store import Database, Store
from service.storage.studies import Traces

log = logging.getLogger("shibori.suggesting")
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class SearchClosed(RuntimeError):
    """Nothing is computed any more, since the server ends."""


class SearchProcess:
    """Computes what is slow in a process of its own, which starts with the first question; any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._executor: ProcessPoolExecutor | None = None
        self._closed = self._broke = False

    def trouble(self) -> str | None:
        """What was wrong with the process when it was asked last."""
        return "its process ended before it answered; the next question starts another" if self._broke else None

    def ask(
        self, algorithm: str, question: Question, settings: BaseModel, count: int, pieces: tuple[bytes, ...] = ()
    ) -> Answer:
        """What an algorithm answers; the packed pieces of the history go as they are."""
        rest = replace(question, history=after(question.history, pieces))
        return self.call(suggest, algorithm, rest, settings, count, pieces)

    def call(
        self, function: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
    ) -> Result:
        """What a function of a module makes of its arguments there."""
        executor = self._running()
        try:
            result = executor.submit(function, *arguments, **named).result()
        except (BrokenProcessPool, CancelledError) as error:
            self._forget(executor)
            if self._closed:
                raise SearchClosed from error
            self._broke = True
            raise
        self._broke = False
        return result

    def __enter__(self) -> "SearchProcess":
        return self

    def __exit__(self, *_: object) -> None:
        """End the process, whatever it computes: nobody waits for that any more."""
        with self._lock:
            self._closed, executor = True, self._executor
        if executor is not None:
            # Python 3.14 has a method for this.
            for process in list((executor._processes or {}).values()):
                process.kill()
            executor.shutdown(cancel_futures=True)

    def _running(self) -> ProcessPoolExecutor:
        with self._lock:
            if self._closed:
                raise SearchClosed
            self._executor = self._executor or ProcessPoolExecutor(1, mp_context=get_context("spawn"))
            return self._executor

    def _forget(self, broken: ProcessPoolExecutor) -> None:
        with self._lock:
            if self._executor is broken:
                self._executor = None


class Suggester:
    """Asks the algorithms that are too slow for a claim."""

    def __init__(
        self,
        database: Database,
        process: SearchProcess,
        leads: Callable[[], bool],
        tell: Callable[[str, float], None],
        rest: Callable[[], None],
    ) -> None:
        """`tell` hears of each answer: its algorithm and how many seconds it took; `rest` lets others go on."""
        self._database, self._process, self._leads = database, process, leads
        self._tell, self._rest = tell, rest
        self._histories = Histories()
        self._paces: dict[str, Pace] = {}
        self._seen: dict[str, Traces] = {}

    def suggest_for_all(self) -> None:
        """Bring the suggestions of every running study up to date in which something has happened, where it leads."""
        if not self._leads():
            # Whoever leads meanwhile may have done what was seen here.
            self._seen.clear()
            return
        running = self._database.read(lambda store: store.studies.running())
        self._histories.keep_only(list(running))
        self._paces = {study_id: self._paces.get(study_id, Pace()) for study_id in running}
        self._seen = {study_id: traces for study_id, traces in self._seen.items() if study_id in running}
        with suppress(SearchClosed):
            for study_id, traces in running.items():
                if self._paces[study_id].extra or self._seen.get(study_id) != traces:
                    self._look_at(study_id, traces)
                    self._rest()

    def _look_at(self, study_id: str, traces: Traces) -> None:
        try:
            told = self._suggest_for(study_id, self._paces[study_id])
        except (StorageUnavailable, SearchClosed):
            raise
        except Exception:
            log.exception("no suggestions for study %s; they will be tried again", study_id)
        else:
            if told:
                self._seen[study_id] = traces

    def _suggest_for(self, study_id: str, pace: Pace) -> bool:
        """Whether all is said of it; not where another server leads by now, or this one did not for a while."""
        request = self._database.read(partial(_plan, study_id, self._histories, pace))
        if request is None:
            return True
        algorithm = request.study.spec.search.algorithm
        asked = (request.question, request.settings, request.count, request.pieces)
        start = perf_counter()
        answer = self._process.ask(algorithm, *asked)
        self._tell(algorithm, perf_counter() - start)
        if self._leads():
            self._database.write(partial(_record, request, answer, pace))
            return True
        return False


def suggest(
    algorithm: str, question: Question, settings: BaseModel, count: int, pieces: tuple[bytes, ...] = ()
) -> Answer:
    """Ask an algorithm by name, in the process that makes suggestions."""
    found: Any = search.find(algorithm)
    whole = replace(question, history=(*unpacked(pieces), *question.history))
    answer: Answer = found.suggest(whole, settings, count)
    return answer


def _plan(study_id: str, histories: Histories, pace: Pace, store: Store) -> Request | None:
    return plan_suggestions(store, study_id, histories, pace)


def _record(request: Request, answer: Answer, pace: Pace, store: Store) -> None:
    record_suggestions(store, request, answer, pace)
