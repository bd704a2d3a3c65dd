"""PostgreSQL that some threads of a server cannot write to, or none for a while: who hears of it, and what follows."""

import threading
from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa

from service.storage import postgresql, units
from service.storage.condition import StorageUnavailable
from tests.integration.grouped import LONGER_THAN_ANYBODY_WAITS, PATIENCE_SECONDS, Held, noting
from tests.integration.harness import MovableClock
from tests.integration.tried import Tried, note, notes

A_WHILE_SECONDS = 2.0


class Unreachable:
    """Lets no connection be opened, so many times."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __call__(self, *_: object) -> None:
        if self.left:
            self.left -= 1
            raise psycopg.OperationalError("too many connections")


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def both(noted: Tried, url: sa.URL, clock: MovableClock) -> Iterator[Tried]:
    """Two threads that write, one connection, and something that was written just now."""
    both = Tried(url, writers=2, clock=clock)
    both.database.write(note)
    yield both
    both.database.close()


def short(tried: Tried, times: int) -> Unreachable:
    unreachable = Unreachable(times)
    sa.event.listen(tried.database._engine, "do_connect", unreachable)
    return unreachable


def test_all_that_wait_are_told_at_once_that_no_connection_can_be_opened(noted: Tried, url: sa.URL) -> None:
    single, begun, go = Tried(url, writers=1), threading.Event(), threading.Event()
    tried: list[None] = []

    def unreachable(*_: object) -> None:
        tried.append(None)
        begun.set()
        assert go.wait(PATIENCE_SECONDS)
        raise psycopg.OperationalError("no route to host")

    sa.event.listen(single.database._engine, "do_connect", unreachable)
    held = [single.database.submit(note)]
    assert begun.wait(PATIENCE_SECONDS)
    held += [single.database.submit(note, joins=joins) for joins in (True, False)]
    go.set()
    assert [type(one.exception(PATIENCE_SECONDS)) for one in held] == [StorageUnavailable] * 3
    assert (len(tried), notes(noted.database)) == (1, 0)
    single.database.close()


def test_a_thread_that_finds_no_connection_holds_nobody_back(
    noted: Tried, url: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(units, "HOLD_BACK_SECONDS", LONGER_THAN_ANYBODY_WAITS)
    single = Tried(url, writers=1)
    short(single, times=1)
    assert type(single.database.submit(noting, joins=True).exception(PATIENCE_SECONDS)) is StorageUnavailable
    assert type(single.database.submit(noting, joins=True).result(PATIENCE_SECONDS)) is int
    assert notes(noted.database) == 1
    single.database.close()


def test_a_thread_that_alone_finds_no_connection_puts_its_unit_back(both: Tried) -> None:
    short(both, times=1)
    held = Held(both.database)
    assert type(both.database.submit(noting, joins=True).result(PATIENCE_SECONDS)) is int
    assert (both.causes, len(both.pauses), both.database.trouble) == (["connection"], 1, None)
    held.let_go()


def test_a_unit_that_finds_no_connection_for_long_is_refused_alone(
    both: Tried, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "PATIENCE_SECONDS", 0.1)
    unreachable = short(both, times=10**6)
    held = Held(both.database)
    assert type(both.database.submit(noting, joins=True).exception(PATIENCE_SECONDS)) is StorageUnavailable
    unreachable.left = 0
    assert both.database.trouble is None
    assert type(both.database.submit(noting, joins=True).result(PATIENCE_SECONDS)) is int
    held.let_go()
    assert notes(both.database) == 2


def test_where_nothing_was_written_for_a_while_it_is_not_one_thread_alone(both: Tried, clock: MovableClock) -> None:
    both.database._engine.dispose()
    unreachable = short(both, times=1)
    clock.move(A_WHILE_SECONDS)
    assert type(both.database.submit(noting, joins=True).exception(PATIENCE_SECONDS)) is StorageUnavailable
    assert (unreachable.left, both.database.trouble is None, both.causes) == (0, False, [])
    both.database.write(note)
    assert both.database.trouble is None
