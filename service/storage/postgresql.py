"""PostgreSQL: a pool of connections, each unit of work a transaction of its own, repeated when it lost a race."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property

import sqlalchemy as sa
from sqlalchemy.engine import URL

from service.storage.attendance import Attendance
from service.storage.condition import Condition
from service.storage.postgresql_engine import postgresql_engine
from service.storage.store import Clock, Entropy, Listener, OutcomeUnknown, Result, Store, Work

# A row that another transaction has written first is found when the work is done again.
RACES: Mapping[str, str] = {"40001": "serialization", "40P01": "deadlock", "23505": "unique"}
TRIES = 10
FIRST_PAUSE_SECONDS = 0.005
LONGEST_PAUSE_SECONDS = 0.2
OnRetry = Callable[[str], None]


class PostgresqlDatabase:
    """Several servers may share it: rows that a decision rests on are locked by the operation.

    `resume` is the first thing that is written after a while in which nothing could be, and `on_retry` hears why a
    unit of work is done again: `serialization`, `deadlock`, `unique` or `connection`.
    """

    def __init__(
        self,
        url: URL,
        *,
        clock: Clock,
        entropy: Entropy,
        on_commit: Listener,
        resume: Work[None] = lambda _: None,
        on_retry: OnRetry = lambda _: None,
        attendance: Attendance | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock, self._entropy, self._on_commit = clock, entropy, on_commit
        self._on_retry, self._sleep = on_retry, sleep
        self._attendance = attendance or Attendance()
        self._engine = postgresql_engine(url, pool_size=8, max_overflow=32, pool_pre_ping=True)
        self._executor = ThreadPoolExecutor(16, thread_name_prefix="postgresql")
        self._condition, self._resume = Condition(clock), resume

    @cached_property
    def description(self) -> str:
        with self._engine.connect() as connection:
            return f"PostgreSQL {connection.scalar(sa.text('SHOW server_version'))}"

    @property
    def trouble(self) -> str | None:
        return self._condition.trouble

    def read(self, work: Work[Result]) -> Result:
        with self._condition.reading():
            return self._until_it_passes(lambda: self._look(work))

    def write(self, work: Work[Result]) -> Result:
        with self._condition.writing():
            if self._condition.trouble is not None:
                self._until_it_passes(lambda: self._transact(self._resume))
            return self._until_it_passes(lambda: self._transact(work))

    def submit(self, work: Work[Result]) -> Future[Result]:
        return self._executor.submit(self.write, work)

    def close(self) -> None:
        self._executor.shutdown()
        self._engine.dispose()

    def _until_it_passes(self, transaction: Callable[[], Result]) -> Result:
        for tried in range(TRIES - 1):
            try:
                return transaction()
            except sa.exc.DBAPIError as error:
                if (cause := _passing_cause(error)) is None:
                    raise
                self._on_retry(cause)
            self._sleep(self._pause_seconds(tried))
        return transaction()

    def _look(self, work: Work[Result]) -> Result:
        with self._engine.connect() as connection:
            reading = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with reading.begin():
                return work(self._store(reading))

    def _transact(self, work: Work[Result]) -> Result:
        with self._engine.connect() as connection, connection.begin() as transaction:
            store = self._store(connection)
            result = work(store)
            _commit(transaction)
        self._on_commit(frozenset(store.signals))
        return result

    def _store(self, connection: sa.Connection) -> Store:
        return Store(connection, self._clock, self._entropy, self._attendance)

    def _pause_seconds(self, tried: int) -> float:
        """Between half and the whole of a bound that doubles, so that those who met do not meet again."""
        bound = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0**tried)
        return bound * (0.5 + 0.5 * self._entropy(1)[0] / 255)


def _commit(transaction: sa.RootTransaction) -> None:
    try:
        transaction.commit()
    except sa.exc.DBAPIError as error:
        # A server that answers has not committed; one that is gone may have.
        if error.connection_invalidated:
            raise OutcomeUnknown from error
        raise


def _passing_cause(error: sa.exc.DBAPIError) -> str | None:
    """Why work that was undone may succeed when it is done again; None where it would fail as before."""
    if error.connection_invalidated:
        return "connection"
    return RACES.get(getattr(error.orig, "sqlstate", None) or "")
