"""PostgreSQL: a pool of connections, each unit of work a transaction of its own, repeated when it lost a race."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import sqlalchemy as sa
from sqlalchemy.engine import URL

from service.storage.store import Clock, Entropy, Listener, Result, Store, Work

# A row that another transaction has written first is found when the work is done again.
RACES: Mapping[str, str] = {"40001": "serialization", "40P01": "deadlock", "23505": "unique"}
TRIES = 10
OnRetry = Callable[[str], None]


class PostgresqlDatabase:
    """Several servers may share it: rows that a decision rests on are locked by the operation.

    `on_retry` hears why a unit of work is done again: `serialization`, `deadlock` or `unique`.
    """

    def __init__(
        self, url: URL, *, clock: Clock, entropy: Entropy, on_commit: Listener, on_retry: OnRetry = lambda _: None
    ) -> None:
        self._clock, self._entropy, self._on_commit, self._on_retry = clock, entropy, on_commit, on_retry
        self._engine = sa.create_engine(url, pool_size=8, max_overflow=32, pool_pre_ping=True, hide_parameters=True)
        self._executor = ThreadPoolExecutor(16, thread_name_prefix="postgresql")

    @property
    def description(self) -> str:
        with self._engine.connect() as connection:
            return f"PostgreSQL {connection.scalar(sa.text('SHOW server_version'))}"

    def read(self, work: Work[Result]) -> Result:
        with self._engine.connect() as connection:
            reading = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with reading.begin():
                return work(Store(reading, self._clock(), self._entropy))

    def write(self, work: Work[Result]) -> Result:
        for _ in range(TRIES - 1):
            try:
                return self._transact(work)
            except sa.exc.DBAPIError as error:
                cause = RACES.get(getattr(error.orig, "sqlstate", None) or "")
                if cause is None:
                    raise
                self._on_retry(cause)
        return self._transact(work)

    def submit(self, work: Work[Result]) -> Future[Result]:
        return self._executor.submit(self.write, work)

    def close(self) -> None:
        self._executor.shutdown()
        self._engine.dispose()

    def _transact(self, work: Work[Result]) -> Result:
        with self._engine.begin() as connection:
            store = Store(connection, self._clock(), self._entropy)
            result = work(store)
        self._on_commit(frozenset(store.signals))
        return result
