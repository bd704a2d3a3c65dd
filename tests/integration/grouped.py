"""Units of work that come into one transaction on PostgreSQL, and what they do there."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import sqlalchemy as sa

from service.storage.store import Database, Store
from tests.integration.tried import execute, note

PATIENCE_SECONDS = 30.0
Unit = Callable[[Store], object]


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
