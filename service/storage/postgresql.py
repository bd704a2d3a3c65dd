"""PostgreSQL: a pool of connections, each unit of work a transaction of its own, repeated when it lost a race."""

from concurrent.futures import Future, ThreadPoolExecutor

import sqlalchemy as sa
from sqlalchemy.engine import URL

from service.storage.condition import Condition
from service.storage.store import Clock, Entropy, Listener, Result, Store, Work

# A row that another transaction has written first is found when the work is done again.
RACES = ("40001", "40P01", "23505")
"""Serialization failure, deadlock, unique violation."""
TRIES = 10


class PostgresqlDatabase:
    """Several servers may share it: rows that a decision rests on are locked by the operation."""

    def __init__(
        self, url: URL, *, clock: Clock, entropy: Entropy, on_commit: Listener, resume: Work[None] = lambda _: None
    ) -> None:
        self._clock, self._entropy, self._on_commit = clock, entropy, on_commit
        self._engine = sa.create_engine(url, pool_size=8, max_overflow=32, pool_pre_ping=True)
        self._executor = ThreadPoolExecutor(16, thread_name_prefix="postgresql")
        self._condition, self._resume = Condition(clock), resume

    @property
    def description(self) -> str:
        with self._engine.connect() as connection:
            return f"PostgreSQL {connection.scalar(sa.text('SHOW server_version'))}"

    @property
    def trouble(self) -> str | None:
        return self._condition.trouble

    def read(self, work: Work[Result]) -> Result:
        with self._condition.reading(), self._engine.connect() as connection:
            reading = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with reading.begin():
                return work(Store(reading, self._clock(), self._entropy))

    def write(self, work: Work[Result]) -> Result:
        with self._condition.writing():
            if self._condition.trouble is not None:
                self._win(self._resume)
            return self._win(work)

    def _win(self, work: Work[Result]) -> Result:
        for _ in range(TRIES - 1):
            try:
                return self._transact(work)
            except sa.exc.DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in RACES:
                    raise
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
