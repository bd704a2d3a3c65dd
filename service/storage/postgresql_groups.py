"""Writing units that share a transaction on PostgreSQL: one lock and one flush for many, and each is undone alone."""

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

import sqlalchemy as sa
from psycopg.pq import TransactionStatus

from service.storage.condition import cause_of
from service.storage.prepared import run_plain
from service.storage.store import Signal, Store
from service.storage.units import Unit, Units

# A row that another transaction has written first is found when the work is done again.
RACES: Mapping[str, str] = {"40001": "serialization", "40P01": "deadlock", "23505": "unique"}
OVERDUE = ("55P03", "57014")
"""What a unit is told that would have kept a lock from others, or from its group, for too long."""
TRIES = 10
LARGEST_GROUP = 32
LONGEST_GROUP_SECONDS = 0.1
# Whoever joins others holds their locks too. It may wait for nobody, since that one may wait for these, and what
# takes long is done alone.
IMPATIENT = "SET LOCAL lock_timeout = 1; SET LOCAL statement_timeout = 1000; "
# A commit that was cut short would be one whose outcome is not known.
PATIENT = "SET LOCAL statement_timeout TO DEFAULT"

OnRetry = Callable[[str], None]
Open = Callable[[sa.Connection], Store]


class Group:
    """The units of one transaction: the one that it was begun for, and those that wait by the time this is done."""

    def __init__(self, first: Unit, open_store: Open, on_retry: OnRetry) -> None:
        self.begun, self.put_off = [first], list[Unit]()
        self.signals: set[Signal] = set()
        self._answers: list[tuple[Unit, Any, Exception | None]] = []
        self._open, self._on_retry = open_store, on_retry

    def carry_out(self, connection: sa.Connection, waiting: Units) -> None:
        """Do all of them; what raises here has undone them all."""
        first = self.begun[0]
        run_plain(connection, "SAVEPOINT unit")
        self._do(connection, first)
        # Its wait for a lock is not counted: by then the more others wait.
        until = monotonic() + LONGEST_GROUP_SECONDS
        while not first.alone and len(self.begun) < LARGEST_GROUP and monotonic() < until and (unit := waiting.next()):
            if unit.begin():
                self._join(connection, unit)
        if len(self.begun) > 1:
            run_plain(connection, PATIENT)

    @property
    def answered(self) -> bool:
        """Whether there is anything in it that is not to be done again."""
        return bool(self._answers)

    def answer(self) -> None:
        """Once it is committed."""
        for unit, result, failure in self._answers:
            unit.answer(result, failure)

    def fail(self, error: Exception) -> None:
        """Tell all that were not put off."""
        for unit in self.begun:
            if unit not in self.put_off:
                unit.answer(None, error)

    def again(self, error: Exception) -> list[Unit]:
        """Which of them are to be done again after an error that has undone all: each alone, if there were several."""
        if len(self.begun) == 1:
            return [unit for unit in self.begun if self._may_try(unit, error)]
        for unit in self.begun:
            unit.alone = True
            self._may_try(unit, error)
        return self.begun

    def _join(self, connection: sa.Connection, unit: Unit) -> None:
        run_plain(connection, f"RELEASE SAVEPOINT unit; {IMPATIENT if len(self.begun) == 1 else ''}SAVEPOINT unit")
        self.begun.append(unit)
        self._do(connection, unit)

    def _do(self, connection: sa.Connection, unit: Unit) -> None:
        store = self._open(connection)
        try:
            result = unit.work(store)
            _require_transaction(connection)
        except Exception as error:
            if passing_cause(error) == "connection" or cause_of(error):
                raise
            run_plain(connection, "ROLLBACK TO SAVEPOINT unit")
            self._undone(unit, error)
        else:
            self._answers.append((unit, result, None))
            self.signals |= store.signals

    def _undone(self, unit: Unit, error: Exception) -> None:
        overdue = unit is not self.begun[0] and _state(error) in OVERDUE
        if overdue or self._may_try(unit, error):
            self.put_off.append(unit)
        else:
            self._answers.append((unit, None, error))

    def _may_try(self, unit: Unit, error: Exception) -> bool:
        cause = passing_cause(error)
        if cause is None or unit.tries == TRIES - 1:
            return False
        unit.tries += 1
        self._on_retry(cause)
        return True


def passing_cause(error: Exception) -> str | None:
    """Why work that was undone may succeed when it is done again; None where it would fail as before."""
    if isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated:
        return "connection"
    return RACES.get(_state(error))


def _state(error: Exception) -> str:
    origin = error.orig if isinstance(error, sa.exc.DBAPIError) else None
    return getattr(origin, "sqlstate", None) or ""


def _require_transaction(connection: sa.Connection) -> None:
    """Raise where a unit went on after an error that PostgreSQL undoes it for: it must not be acknowledged."""
    driver: Any = connection.connection.driver_connection
    if driver.info.transaction_status != TransactionStatus.INTRANS:
        raise RuntimeError("a unit of work went on in a transaction that an error had ended")
