"""A database that tells what its units of work came to, and how long they took."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Literal, Protocol

from service.domain.facts import Fact
from service.storage.store import Database, Listener, Result, Signal, Store, Work


class Watch(Protocol):
    """What wants to know of every unit; each call is made where somebody waits, and must be quick."""

    def happened(self, facts: Sequence[Fact]) -> None:
        """These facts are committed."""

    def took(self, kind: Literal["read", "write"], seconds: float) -> None:
        """So long did the work of a unit take, its commit and its wait apart."""

    def committed(self, units: int, seconds: float) -> None:
        """So many units shared a commit, which took so long."""

    def waits(self, change: int) -> None:
        """So many more writing units wait for their turn."""


@dataclass(eq=False, slots=True)
class _Unit:
    """A writing unit as it is carried out, by whatever thread, perhaps more than once."""

    work: Work[Any]
    watched: "Watched"
    context: Context = field(default_factory=copy_context)
    facts: Sequence[Fact] = ()
    waits: bool = True
    batch: "dict[_Unit, None]" = field(default_factory=dict)
    """What its last try is counted in."""

    def __call__(self, store: Store) -> Any:
        self.begin()
        self.leave_batch()
        start = perf_counter()
        try:
            # What is logged on the way is of the request that it is done for.
            result = self.context.run(self.work, store)
        finally:
            self.watched.ended(perf_counter() - start)
        self.batch = self.watched.count(self)
        self.facts = store.facts
        return result

    def leave_batch(self) -> None:
        """Where it was undone after all; a commit has counted it already."""
        self.batch.pop(self, None)

    def begin(self) -> None:
        if self.waits:
            self.waits = False
            self.watched.watch.waits(-1)


class _Batch(threading.local):
    """What a thread has carried out since its last commit."""

    def __init__(self) -> None:
        self.units: dict[_Unit, None] = {}
        self.ended_at = 0.0


class Watched:
    """Passes everything on, and counts what was committed, once."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self._batch = _Batch()
        self._database: Database

    def open(self, database: Database) -> "Watched":
        self._database = database
        return self

    def telling(self, listener: Listener) -> Listener:
        """A listener that hears of commits, and has them counted; the database must be opened with it."""

        def committed(signals: frozenset[Signal]) -> None:
            listener(signals)
            batch = self._batch
            if batch.units:
                self.watch.committed(len(batch.units), perf_counter() - batch.ended_at)
                batch.units.clear()

        return committed

    def ended(self, seconds: float) -> None:
        self.watch.took("write", seconds)
        self._batch.ended_at = perf_counter()

    def count(self, unit: _Unit) -> dict[_Unit, None]:
        """What it is now in: the batch of its thread."""
        self._batch.units[unit] = None
        return self._batch.units

    @property
    def description(self) -> str:
        return self._database.description

    @property
    def trouble(self) -> str | None:
        return self._database.trouble

    def read(self, work: Work[Result]) -> Result:
        start = perf_counter()
        try:
            return self._database.read(work)
        finally:
            self.watch.took("read", perf_counter() - start)

    def write(self, work: Work[Result], *, patient: bool = True) -> Result:
        return self.submit(work, patient=patient).result()

    def submit(self, work: Work[Result], *, joins: bool = False, patient: bool = True) -> Future[Result]:
        unit = _Unit(work, self)
        self.watch.waits(1)
        try:
            future: Future[Result] = self._database.submit(unit, joins=joins, patient=patient)
        except BaseException:
            unit.begin()
            raise
        future.add_done_callback(lambda done: self._settle(unit, done))
        return future

    def close(self) -> None:
        self._database.close()

    def _settle(self, unit: _Unit, done: Future[Any]) -> None:
        unit.begin()
        unit.leave_batch()
        if not done.cancelled() and done.exception() is None and unit.facts:
            self.watch.happened(unit.facts)
