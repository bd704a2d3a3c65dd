"""Whether a database can do its work: what stands in its way, told apart from what is wrong with a request."""

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta

import sqlalchemy as sa

from service.storage.store import Clock, OutcomeUnknown

log = logging.getLogger("shibori.storage")
TOLD_AGAIN_AFTER = timedelta(minutes=1)
LATELY = timedelta(seconds=1)

SQLITE: Mapping[int, str] = {
    5: "another program holds the SQLite file",
    6: "another connection holds the SQLite file",
    8: "the SQLite file cannot be written: it, or its folder, is read-only",
    10: "the disk reports an error",
    11: "the SQLite file is damaged: run `shibori db check`, and restore a backup",
    13: "the disk is full",
    14: "the SQLite file cannot be opened",
    26: "the SQLite file is damaged: run `shibori db check`, and restore a backup",
}
"""By the primary result code."""
POSTGRESQL: Mapping[str, str] = {
    "08": "the connection to the database is lost",
    "25006": "PostgreSQL takes no writes: it is read-only",
    "25P03": "this server was too slow for its session with PostgreSQL",
    "53": "PostgreSQL has run out of connections, memory or disk",
    "53100": "the disk of PostgreSQL is full",
    "57P": "PostgreSQL is shutting down or starting up",
    "58": "the disk of PostgreSQL reports an error",
    "XX001": "PostgreSQL finds its data damaged",
    "XX002": "PostgreSQL finds an index damaged",
}
"""By the beginning of the SQLSTATE, the longest that fits."""
NOT_OF_READING = (8, "25006")
"""A unit of work that only reads and is refused so has tried to write, which is a fault of its own."""


class StorageUnavailable(RuntimeError):
    """The database cannot do its work now. What was asked for is undone; whether a commit was made may be unknown."""


class Condition:
    """Whether a database could be written at the last attempt; a cause is a line of the log, not each request."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._told: dict[str, datetime] = {}
        self._written_at: datetime | None = None
        self.trouble: str | None = None

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Within it, an error of the database itself becomes StorageUnavailable."""
        try:
            yield
        except Exception as error:
            if cause := cause_of(error, reading=True):
                self._tell(f"cannot be read: {cause}", error)
                raise unavailable(cause) from error
            raise

    @contextmanager
    def writing(self) -> Iterator[None]:
        """The same, for what is committed when it ends."""
        try:
            yield
        except Exception as error:
            if cause := cause_of(error):
                self.trouble = cause
                self._tell(f"cannot be written: {cause}", error)
                if isinstance(error, OutcomeUnknown):
                    raise
                raise unavailable(cause) from error
            raise
        self.written()

    def written(self) -> None:
        """Something was committed."""
        self._written_at = self._clock()
        passed, self.trouble = self.trouble, None
        if passed is not None:
            log.warning("the database can be written again")

    @property
    def lately_written(self) -> bool:
        """Whether something was, a moment ago: then whoever cannot write now is alone with it."""
        return self._written_at is not None and abs(self._clock() - self._written_at) < LATELY

    def _tell(self, what: str, error: Exception) -> None:
        with self._lock:
            now, before = self._clock(), self._told.get(what)
            if before is not None and now - before < TOLD_AGAIN_AFTER:
                return
            self._told[what] = now
        log.error("the database %s (%s); requests are answered 503 until it can", what, _first_line(error))


def cause_of(error: BaseException, *, reading: bool = False) -> str | None:
    """What stands in the way of a database, found in an error or in what it came from; None where it is no such."""
    return next((cause for one in _chain(error) if (cause := _cause(one, reading))), None)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _cause(error: BaseException, reading: bool) -> str | None:
    if isinstance(error, MemoryError):
        return "there is no memory left"
    # What the library itself raises comes without a wrapping where a connection is opened anew.
    origin = getattr(error, "orig", error)
    code, state = getattr(origin, "sqlite_errorcode", None), getattr(origin, "sqlstate", None)
    if code is not None:
        return None if reading and code & 0xFF in NOT_OF_READING else SQLITE.get(code & 0xFF)
    if state is not None:
        return None if reading and state in NOT_OF_READING else _postgresql_cause(state)
    if isinstance(error, sa.exc.TimeoutError):
        return "all connections to the database are in use"
    return POSTGRESQL["08"] if _is_lost(error) else None


def _postgresql_cause(state: str) -> str | None:
    return next((POSTGRESQL[state[:size]] for size in (5, 3, 2) if state[:size] in POSTGRESQL), None)


def _is_lost(error: BaseException) -> bool:
    return isinstance(error, sa.exc.DBAPIError) and (
        error.connection_invalidated or isinstance(error, sa.exc.OperationalError)
    )


def unavailable(cause: str) -> StorageUnavailable:
    return StorageUnavailable(f"The database cannot do this now: {cause}.")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
