"""SQLite: many reading connections, and one thread that writes and lets units that wait share a commit."""

import queue
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from service.storage.savepoints import savepoint
from service.storage.store import Clock, Entropy, Listener, Result, Store, Work

LARGEST_BATCH = 64


class DatabaseClosed(RuntimeError):
    """The database was closed before this unit of work began."""


@dataclass(frozen=True, slots=True)
class _Unit:
    work: Work[Any]
    future: Future[Any]


def sqlite_engine(url: URL, *, read_only: bool) -> sa.Engine:
    """An engine that begins transactions itself; a read-only one refuses every write."""
    pool = {"pool_size": 8, "max_overflow": 40} if read_only else {"poolclass": NullPool}
    engine = sa.create_engine(
        url,
        connect_args={"check_same_thread": False, "isolation_level": None, "timeout": 10.0},
        hide_parameters=True,
        **pool,
    )
    # SQLAlchemy types these hooks as Any.
    sa.event.listen(engine, "connect", _reader_pragmas if read_only else _writer_pragmas)
    sa.event.listen(engine, "begin", _begin_deferred if read_only else _begin_immediate)
    return engine


class SqliteDatabase:
    """One file; its writes go through the thread that owns the one writing connection."""

    def __init__(self, url: URL, *, clock: Clock, entropy: Entropy, on_commit: Listener) -> None:
        self._clock, self._entropy, self._on_commit = clock, entropy, on_commit
        self._path = Path(url.database or "")
        self._reader = sqlite_engine(url, read_only=True)
        self._writer = sqlite_engine(url, read_only=False)
        self._units: queue.SimpleQueue[_Unit | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._write_until_closed, name="sqlite-writer", daemon=True)
        self._thread.start()

    @property
    def description(self) -> str:
        return f"SQLite {sa.create_engine('sqlite://').dialect.dbapi.sqlite_version}"  # type: ignore[union-attr]

    def read(self, work: Work[Result]) -> Result:
        with self._reader.begin() as connection:
            return work(Store(connection, self._clock(), self._entropy))

    def write(self, work: Work[Result]) -> Result:
        return self.submit(work).result()

    def submit(self, work: Work[Result]) -> Future[Result]:
        future: Future[Result] = Future()
        with self._closing:
            if self._closed:
                raise DatabaseClosed("the database is closed")
            self._units.put(_Unit(work, future))
        return future

    def close(self) -> None:
        """Write what was submitted, then close every connection, the writing one last."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._units.put(None)
        self._thread.join()
        self._reader.dispose()
        self._writer.dispose()

    def _write_until_closed(self) -> None:
        with self._writer.connect() as connection:
            while batch := self._next_batch():
                self._commit(connection, batch)

    def _next_batch(self) -> list[_Unit]:
        """Wait for one unit, then take all that wait already; empty when the database is closed."""
        first = self._units.get()
        batch = [] if first is None else [first]
        while batch and len(batch) < LARGEST_BATCH:
            try:
                unit = self._units.get_nowait()
            except queue.Empty:
                break
            if unit is None:
                self._units.put(None)
                break
            batch.append(unit)
        return batch

    def _commit(self, connection: sa.Connection, batch: list[_Unit]) -> None:
        answers: list[tuple[_Unit, Any, Exception | None]] = []
        try:
            with connection.begin():
                # A unit whose caller has gone before it began is left out; from here on none can be called off.
                begun = [unit for unit in batch if unit.future.set_running_or_notify_cancel()]
                signals = [self._run(connection, unit, answers) for unit in begun]
        except Exception as error:  # noqa: BLE001 (whatever it was, those who wait must hear of it)
            for unit in batch:
                if not unit.future.done():
                    unit.future.set_exception(error)
            return
        self._on_commit(frozenset().union(*signals))
        for unit, result, failure in answers:
            unit.future.set_exception(failure) if failure else unit.future.set_result(result)

    def _run(
        self, connection: sa.Connection, unit: _Unit, answers: list[tuple[_Unit, Any, Exception | None]]
    ) -> frozenset[Any]:
        store = Store(connection, self._clock(), self._entropy)
        try:
            with savepoint(connection):
                result = unit.work(store)
        except Exception as error:  # noqa: BLE001 (this unit is undone; the others of the batch go on)
            answers.append((unit, None, error))
            return frozenset()
        answers.append((unit, result, None))
        return frozenset(store.signals)


def _pragmas(connection: Any, *statements: str) -> None:
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(f"PRAGMA {statement}")
    cursor.close()


def _writer_pragmas(connection: Any, _record: object) -> None:
    _pragmas(connection, "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "busy_timeout = 10000")


def _reader_pragmas(connection: Any, _record: object) -> None:
    _pragmas(connection, "query_only = ON", "foreign_keys = ON", "busy_timeout = 10000")


def _begin_immediate(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_deferred(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN")
