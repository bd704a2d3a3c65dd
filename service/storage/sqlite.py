"""SQLite: many reading connections, and one thread that writes and lets units that wait share a commit."""

import threading
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from service.storage.attendance import Attendance
from service.storage.condition import Condition, StorageUnavailable, cause_of
from service.storage.savepoints import savepoint
from service.storage.sqlite_library import described, library
from service.storage.store import Clock, Entropy, Listener, Result, Store, Work
from service.storage.units import Unit, Units, tell

LARGEST_BATCH = 64


def sqlite_engine(url: URL, *, read_only: bool) -> sa.Engine:
    """An engine that begins transactions itself; a read-only one cannot write, nor move the log when it closes."""
    pool = {"pool_size": 8, "max_overflow": 40} if read_only else {"poolclass": NullPool}
    connect_args = {"check_same_thread": False, "isolation_level": None, "timeout": 10.0}
    place = _opened_for_reading(url) if read_only else url
    engine = sa.create_engine(place, module=library(), connect_args=connect_args, hide_parameters=True, **pool)
    # SQLAlchemy types these hooks as Any.
    sa.event.listen(engine, "connect", _reader_pragmas if read_only else _writer_pragmas)
    sa.event.listen(engine, "begin", _begin_deferred if read_only else _begin_immediate)
    return engine


class SqliteDatabase:
    """One file; its writes go through the thread that owns the one writing connection."""

    def __init__(
        self,
        url: URL,
        *,
        clock: Clock,
        entropy: Entropy,
        on_commit: Listener,
        attendance: Attendance | None = None,
    ) -> None:
        self._clock, self._entropy, self._on_commit = clock, entropy, on_commit
        self._attendance = attendance or Attendance()
        self._condition = Condition(clock)
        self._reader = sqlite_engine(url, read_only=True)
        self._writer = sqlite_engine(url, read_only=False)
        self._units = Units()
        self._writing = self._writer.connect()
        # Stays open in the pool: were the writing connection the last one, to open it anew would need room on the disk.
        self._reader.connect().close()
        self._thread = threading.Thread(target=self._write_until_closed, name="sqlite-writer", daemon=True)
        self._thread.start()

    @property
    def description(self) -> str:
        return described(library())

    @property
    def trouble(self) -> str | None:
        return self._condition.trouble

    def read(self, work: Work[Result]) -> Result:
        with self._condition.reading(), self._reader.begin() as connection:
            return work(self._store(connection))

    def write(self, work: Work[Result], *, patient: bool = True) -> Result:
        return self.submit(work, patient=patient).result()

    # All of them may join others, and none waits for what others keep.
    def submit(self, work: Work[Result], *, joins: bool = False, patient: bool = True) -> Future[Result]:  # noqa: ARG002
        return self._units.submit(work)

    def close(self) -> None:
        """Write what was submitted, then close every connection, the writing one last."""
        self._units.close()
        self._thread.join()
        self._reader.dispose()
        # Moves what the log holds into the file, and removes the log.
        self._writing.close()

    def _write_until_closed(self) -> None:
        while batch := self._next_batch():
            self._commit(self._writing, batch)

    def _next_batch(self) -> list[Unit]:
        """Wait for one unit, then take all that wait already; empty when the database is closed."""
        first = self._units.wait()
        batch = [] if first is None else [first]
        while batch and len(batch) < LARGEST_BATCH and (unit := self._units.next()):
            batch.append(unit)
        return batch

    def _commit(self, connection: sa.Connection, batch: list[Unit]) -> None:
        # A unit whose caller has gone before it began is left out; from here on none can be called off.
        begun = [unit for unit in batch if unit.begin()]
        answers: list[tuple[Unit, Any, Exception | None]] = []
        try:
            with self._condition.writing():
                self._make_room(connection)
                with connection.begin():
                    self._try_a_page(connection)
                    signals = [self._run(connection, unit, answers) for unit in begun]
                    _require_transaction(connection)
        except Exception as error:  # noqa: BLE001 (whatever it was, those who wait must hear of it)
            # What a connection knows of a log that could not be written is not to be built upon.
            connection.invalidate()
            for unit in begun:
                unit.answer(None, error)
            return
        tell(self._on_commit, frozenset().union(*signals))
        for unit, result, failure in answers:
            unit.answer(result, failure)

    def _make_room(self, connection: sa.Connection) -> None:
        """After a failure: what the log holds goes to the file, so that the log can be written from its beginning."""
        if self._condition.trouble is not None:
            with suppress(library().Error):
                _pragmas(connection.connection.dbapi_connection, "wal_checkpoint(PASSIVE)")

    def _try_a_page(self, connection: sa.Connection) -> None:
        """After a failure: nothing counts as written until something was, even where all else has nothing to write."""
        if self._condition.trouble is not None:
            connection.exec_driver_sql("PRAGMA user_version = 0")

    def _store(self, connection: sa.Connection) -> Store:
        return Store(connection, self._clock, self._entropy, self._attendance)

    def _run(
        self, connection: sa.Connection, unit: Unit, answers: list[tuple[Unit, Any, Exception | None]]
    ) -> frozenset[Any]:
        store = self._store(connection)
        try:
            with savepoint(connection):
                result = unit.work(store)
        except Exception as error:
            if cause_of(error):
                raise
            _require_transaction(connection)
            answers.append((unit, None, error))
            return frozenset()
        _require_transaction(connection)
        answers.append((unit, result, None))
        return frozenset(store.signals)


def _require_transaction(connection: sa.Connection) -> None:
    """Raise where SQLite has undone the whole transaction by itself: then nothing of a batch may be acknowledged."""
    driver: Any = connection.connection.driver_connection
    if not driver.in_transaction:
        raise StorageUnavailable("The database cannot do this now: it has undone what was to be written.")


def _opened_for_reading(url: URL) -> URL:
    """As it is opened, so that nothing which goes wrong here can change it."""
    place = Path(url.database or "").absolute().as_uri()
    return url.set(database=place, query={**url.query, "uri": "true", "mode": "ro"})


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
