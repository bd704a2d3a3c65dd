"""Writing units that share a transaction on PostgreSQL: one lock and one flush for many, and each is undone alone."""

from collections.abc import Callable, Mapping, Sequence
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
LOCKED, SLOW, IDLE = "55P03", "57014", "25P03"
TRIES = 10
# Most units take three subtransactions or fewer, and PostgreSQL looks those up slowly of which there are more than 64.
LARGEST_GROUP = 20
LONGEST_GROUP_SECONDS = 0.1
# Whoever leads waits for a lock, and leaves it to others after a while, since each has only a few threads that write.
# A limit that the database or its role has on statements would end that wait, and be an error.
# A server that is stopped in the middle must not keep its locks: what it has begun is undone.
LEADING = (
    "SET LOCAL lock_timeout = 1000; SET LOCAL statement_timeout = 0; "
    "SET LOCAL idle_in_transaction_session_timeout = 10000; "
)
# While others have waited in vain: whoever needs the same finds out soon, and is one of them. It is longer than servers
# take for a turn each with a study that is well.
HURRIED = "SET LOCAL lock_timeout = 250; "
# Whoever joins others holds their locks too. It may wait for nobody, since that one may wait for these, and what
# takes long is done alone.
IMPATIENT = "SET LOCAL lock_timeout = 1; SET LOCAL statement_timeout = 1000; "
# A commit that was cut short would be one whose outcome is not known.
PATIENT = "SET LOCAL statement_timeout = 0"

OnRetry = Callable[[str], None]
Open = Callable[[sa.Connection, Sequence[str]], Store]
"""For work that has waited for these studies in vain."""


class Group:
    """The units of one transaction: the one that it was begun for, and those that wait by the time this is done."""

    def __init__(self, first: Unit, open_store: Open, on_retry: OnRetry) -> None:
        self.begun, self.put_off = [first], list[Unit]()
        self.signals: set[Signal] = set()
        self.connected = False
        self._answers: list[tuple[Unit, Any, Exception | None]] = []
        self._open, self._on_retry = open_store, on_retry

    def carry_out(self, connection: sa.Connection, waiting: Units) -> None:
        """Do all of them; what raises here has undone them all."""
        first = self.begun[0]
        run_plain(connection, f"{LEADING}{HURRIED if first.hurries else ''}SAVEPOINT unit")
        self._do(connection, first)
        if first not in self.put_off:
            waiting.led(first)
        # Its wait for a lock is not counted: by then the more others wait.
        until = monotonic() + LONGEST_GROUP_SECONDS
        while self._takes_others and len(self.begun) < LARGEST_GROUP and monotonic() < until:
            if (unit := waiting.next_to_join()) is None:
                break
            if unit.begin():
                self._join(connection, unit)
        if len(self.begun) > 1:
            run_plain(connection, PATIENT)

    @property
    def _takes_others(self) -> bool:
        """Not where the first one waits for what others have: nothing is to be committed then."""
        return self.begun[0].shares and self.begun[0] not in self.put_off

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
            unit.shares = False
            self._may_try(unit, error)
        return self.begun

    def led_in_vain(self) -> list[Unit]:
        """For want of a connection: it is to be done again, or with others that have one."""
        self.begun[0].in_vain = True
        return self.begun

    def _join(self, connection: sa.Connection, unit: Unit) -> None:
        limits = IMPATIENT if len(self.begun) == 1 else ""
        # Whatever happens from here on, it is one of those that are answered or done again.
        self.begun.append(unit)
        run_plain(connection, f"RELEASE SAVEPOINT unit; {limits}SAVEPOINT unit")
        self._do(connection, unit)

    def _do(self, connection: sa.Connection, unit: Unit) -> None:
        store = self._open(connection, unit.kept)
        try:
            result = unit.work(store)
            _require_transaction(connection)
        except Exception as error:
            if passing_cause(error) == "connection" or cause_of(error):
                raise
            run_plain(connection, "ROLLBACK TO SAVEPOINT unit")
            self._undone(unit, error, store.studies.waits_for)
        else:
            self._answers.append((unit, result, None))
            self.signals |= store.signals

    def _undone(self, unit: Unit, error: Exception, study: str | None) -> None:
        if self._is_overdue(unit, error, study) or self._may_try(unit, error):
            self.put_off.append(unit)
        else:
            self._answers.append((unit, None, error))

    def _is_overdue(self, unit: Unit, error: Exception, study: str | None) -> bool:
        """Whether it would have kept its thread waiting for a lock, or its group waiting for it, for too long."""
        leads = unit is self.begun[0]
        if _state(error) == LOCKED:
            if leads:
                unit.in_vain = True
                unit.kept = (*(one for one in unit.kept if one != study), *([study] if study else []))
            return True
        if slow := _state(error) == SLOW and not leads:
            unit.shares = False
        return slow

    def _may_try(self, unit: Unit, error: Exception) -> bool:
        cause = passing_cause(error)
        if cause is None or unit.tries == TRIES - 1:
            return False
        unit.tries += 1
        self._on_retry(cause)
        return True


def passing_cause(error: Exception) -> str | None:
    """Why work that was undone may succeed when it is done again; None where it would fail as before."""
    if isinstance(error, sa.exc.DBAPIError) and (error.connection_invalidated or _state(error) == IDLE):
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
