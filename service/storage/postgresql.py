"""PostgreSQL: a pool of connections, and a few threads that write, each for as many units as wait for it."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import cached_property

import sqlalchemy as sa
from sqlalchemy.engine import URL

from service.storage.attendance import Attendance
from service.storage.condition import Condition, StorageUnavailable, cause_of, unavailable
from service.storage.postgresql_engine import postgresql_engine
from service.storage.postgresql_groups import TRIES, Group, OnRetry, passing_cause
from service.storage.store import Clock, Entropy, Listener, OutcomeUnknown, Result, Store, Work
from service.storage.units import PATIENCE_SECONDS, Unit, Units, tell

FIRST_PAUSE_SECONDS = 0.005
LONGEST_PAUSE_SECONDS = 0.2
WRITERS = 4
"""While one waits for the lock of a study, the others begin nothing for a moment, and then write in other studies."""


class PostgresqlDatabase:
    """Several servers may share it: rows that a decision rests on are locked by the operation.

    `on_retry` hears why a unit of work is done again: `serialization`, `deadlock`, `unique` or `connection`.
    """

    def __init__(
        self,
        url: URL,
        *,
        clock: Clock,
        entropy: Entropy,
        on_commit: Listener,
        on_retry: OnRetry = lambda _: None,
        attendance: Attendance | None = None,
        sleep: Callable[[float], None] = time.sleep,
        writers: int = WRITERS,
    ) -> None:
        self._clock, self._entropy, self._on_commit = clock, entropy, on_commit
        self._on_retry, self._sleep = on_retry, sleep
        self._attendance = attendance or Attendance()
        self._engine = postgresql_engine(url, pool_size=8, max_overflow=32, pool_pre_ping=True)
        self._condition = Condition(clock)
        self._units = Units()
        self._threads = [
            threading.Thread(target=self._write_until_closed, name=f"postgresql-writer-{number}", daemon=True)
            for number in range(writers)
        ]
        for thread in self._threads:
            thread.start()

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

    def write(self, work: Work[Result], *, patient: bool = True) -> Result:
        return self.submit(work, patient=patient).result()

    def submit(self, work: Work[Result], *, joins: bool = False, patient: bool = True) -> Future[Result]:
        return self._units.submit(work, shares=joins, patience=PATIENCE_SECONDS if patient else 0.0)

    def close(self) -> None:
        """Write what was submitted, then close every connection."""
        self._units.close()
        for thread in self._threads:
            thread.join()
        self._engine.dispose()

    def _until_it_passes(self, transaction: Callable[[], Result]) -> Result:
        for tried in range(TRIES - 1):
            try:
                return transaction()
            except sa.exc.DBAPIError as error:
                if (cause := passing_cause(error)) is None:
                    raise
                self._on_retry(cause)
            self._sleep(self._pause_seconds(tried))
        return transaction()

    def _look(self, work: Work[Result]) -> Result:
        with self._engine.connect() as connection:
            reading = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with reading.begin():
                return work(self._store(reading))

    def _write_until_closed(self) -> None:
        while unit := self._units.wait_to_lead():
            if unit.given_up:
                unit.answer(None, unavailable("others hold the locks or the connections that it needs"))
                continue
            group = Group(unit, self._store, self._on_retry)
            put_off = self._take_turn(group) if unit.begin() else []
            self._units.led(unit, again=put_off)
            if put_off and not group.connected:
                # Others of these threads have all the connections that there are; they do what waits.
                self._sleep(self._pause_seconds(TRIES))

    def _take_turn(self, group: Group) -> list[Unit]:
        """Write a unit, and those that wait meanwhile with it; returns which are to be done again."""
        if tries := group.begun[0].tries:
            self._sleep(self._pause_seconds(tries - 1))
        try:
            self._transact(group)
        except OutcomeUnknown as error:
            group.fail(self._told(error))
            return group.put_off
        except Exception as error:  # noqa: BLE001 (whatever it was, those who wait must hear of it)
            return group.again(error) or self._fail(group, error)
        if group.answered:
            self._condition.written()
            tell(self._on_commit, frozenset(group.signals))
            group.answer()
        return group.put_off

    def _fail(self, group: Group, error: Exception) -> list[Unit]:
        """Tell all of them, unless it is this thread alone that has no connection."""
        if not group.connected and cause_of(error) and self._condition.lately_written:
            self._on_retry("connection")
            return group.led_in_vain()
        told = self._told(error)
        group.fail(told)
        if not group.connected and isinstance(told, StorageUnavailable):
            # Those who wait would each wait as long as this one for a connection that there is not.
            self._units.refuse(told)
        return group.put_off

    def _transact(self, group: Group) -> None:
        with self._engine.connect() as connection:
            group.connected = True
            with connection.begin() as transaction:
                group.carry_out(connection, self._units)
                _commit(transaction)

    def _told(self, error: Exception) -> Exception:
        """An error as those who wait are to hear of it."""
        try:
            with self._condition.writing():
                raise error
        except Exception as told:  # noqa: BLE001
            return told

    def _store(self, connection: sa.Connection, kept: Sequence[str] = ()) -> Store:
        return Store(connection, self._clock, self._entropy, self._attendance, kept=kept)

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
