"""Units of work that come into one transaction on PostgreSQL, and what they do there."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
import sqlalchemy as sa

from service.storage import postgresql, postgresql_groups
from service.storage.store import Database, Store
from tests.integration.tried import execute, note

PATIENCE_SECONDS = 30.0
LONGER_THAN_ANYBODY_WAITS = 2 * PATIENCE_SECONDS
Unit = Callable[[Store], object]


class Held:
    """A unit that keeps its thread busy until it is let go."""

    def __init__(self, database: Database) -> None:
        self._begun, self._go = threading.Event(), threading.Event()
        self._done = database.submit(self._hold)
        assert self._begun.wait(PATIENCE_SECONDS)

    def let_go(self) -> None:
        self._go.set()
        self._done.result(PATIENCE_SECONDS)

    def _hold(self, _: Store) -> None:
        self._begun.set()
        assert self._go.wait(PATIENCE_SECONDS)


def brief_leads(monkeypatch: pytest.MonkeyPatch, patience: float = LONGER_THAN_ANYBODY_WAITS) -> None:
    """Whoever leads waits for a lock for 20 ms, hurried or not, and does so again for so many seconds."""
    for name in ("LEADING", "HURRIED"):
        monkeypatch.setattr(postgresql_groups, name, "SET LOCAL lock_timeout = 20; ")
    monkeypatch.setattr(postgresql, "PATIENCE_SECONDS", patience)


def started(database: Database, *units: Unit) -> list[Future[object]]:
    """Units of one transaction."""
    begun, go = threading.Event(), threading.Event()

    def hold(_: Store) -> None:
        begun.set()
        assert go.wait(PATIENCE_SECONDS)

    futures = [database.submit(hold, joins=True)]
    assert begun.wait(PATIENCE_SECONDS)
    futures += [database.submit(unit, joins=True) for unit in units]
    go.set()
    return futures[1:]


def grouped(database: Database, *units: Unit) -> list[Any]:
    """What the callers of units of one transaction were told."""
    return [one.exception(PATIENCE_SECONDS) or one.result() for one in started(database, *units)]


def noting(store: Store) -> object:
    """Writes a line, and tells its transaction."""
    note(store)
    return store._connection.scalar(sa.text("SELECT txid_current()"))


def waiting(store: Store) -> object:
    """Waits for a lock that another has."""
    execute(store, "SELECT pg_advisory_xact_lock(7)")
    return noting(store)


def once(first: Unit, then: Unit) -> Unit:
    """One thing the first time, another when it is done again."""
    left = [first]
    return lambda store: (left.pop() if left else then)(store)


def number(store: Store, statement: str) -> int:
    return int(store._connection.scalar(sa.text(statement)) or 0)
