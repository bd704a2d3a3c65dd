"""Which unit of work begins a transaction on PostgreSQL, and what becomes of one that has begun it in vain."""

import threading
from concurrent.futures import Future

import pytest
import sqlalchemy as sa

from service.storage import postgresql, postgresql_groups, units
from service.storage.condition import StorageUnavailable
from service.storage.postgresql import PostgresqlDatabase
from service.storage.postgresql_engine import Session, own_session
from service.storage.store import Database, Store
from tests.integration.grouped import (
    LONGER_THAN_ANYBODY_WAITS,
    PATIENCE_SECONDS,
    Held,
    brief_leads,
    noting,
    number,
    waiting,
)
from tests.integration.harness import until
from tests.integration.tried import Tried, execute, notes


class Crowd:
    """Units that wait for a lock, and how many of them did so at once that had led before."""

    def __init__(self) -> None:
        self.again = self.most = 0
        self._lock, self._now = threading.Lock(), 0

    def waits(self, database: Database) -> Future[None]:
        led: list[None] = []

        def wait(store: Store) -> None:
            again, _ = len(led), led.append(None)
            self._change(bool(again))
            try:
                waiting(store)
            finally:
                self._change(-bool(again))

        return database.submit(wait)

    def _change(self, by: int) -> None:
        with self._lock:
            self._now += by
            self.again += max(by, 0)
            self.most = max(self.most, self._now)


def someone_waits(session: Session) -> bool:
    return session.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").fetchone() is not None


def longest_wait(store: Store) -> int:
    """How many milliseconds a unit waits for a lock."""
    return number(store, "SELECT replace(current_setting('lock_timeout'), 'ms', '')")


def test_units_that_could_join_one_that_waits_for_a_lock_stay_in_the_line_until_it_has_it(
    noted: Tried, url: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_groups, "LEADING", "")
    monkeypatch.setattr(postgresql_groups, "LONGEST_GROUP_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(units, "HOLD_BACK_SECONDS", LONGER_THAN_ANYBODY_WAITS)
    with own_session(url) as session:
        session.execute("SELECT pg_advisory_lock(7)")
        held = [noted.database.submit(waiting, joins=True)]
        until(lambda: someone_waits(session))
        held += [noted.database.submit(waiting, joins=True) for _ in range(2 * postgresql.WRITERS)]
        session.execute("SELECT pg_advisory_unlock(7)")
    # One of them may lead as soon as the first has the lock.
    assert len({one.result(PATIENCE_SECONDS) for one in held}) <= 2


def test_a_unit_that_waits_for_a_lock_holds_others_back_for_a_while_only(
    noted: Tried, url: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_groups, "LEADING", "")
    monkeypatch.setattr(units, "HOLD_BACK_SECONDS", 0.02)
    with own_session(url) as session:
        session.execute("SELECT pg_advisory_lock(7)")
        held = noted.database.submit(waiting, joins=True)
        until(lambda: someone_waits(session))
        assert type(noted.database.submit(noting, joins=True).result(PATIENCE_SECONDS)) is int
        assert not held.done()
        session.execute("SELECT pg_advisory_unlock(7)")
        held.result(PATIENCE_SECONDS)


def test_a_unit_that_has_its_locks_holds_nobody_back(noted: Tried, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "HOLD_BACK_SECONDS", LONGER_THAN_ANYBODY_WAITS)
    committed, go = threading.Event(), threading.Event()

    def wait_once(_: object) -> None:
        if not committed.is_set():
            committed.set()
            assert go.wait(PATIENCE_SECONDS)

    monkeypatch.setattr(noted.database, "_on_commit", wait_once)
    first = noted.database.submit(noting, joins=True)
    assert committed.wait(PATIENCE_SECONDS)
    assert type(noted.database.submit(noting, joins=True).result(PATIENCE_SECONDS)) is int
    assert not first.done()
    go.set()
    first.result(PATIENCE_SECONDS)


def test_a_unit_whose_caller_has_gone_holds_nobody_back(single: Tried, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "HOLD_BACK_SECONDS", LONGER_THAN_ANYBODY_WAITS)
    held = Held(single.database)
    gone, there = [single.database.submit(noting, joins=True) for _ in range(2)]
    assert gone.cancel()
    held.let_go()
    assert type(there.result(PATIENCE_SECONDS)) is int
    assert notes(single.database) == 1


def test_of_the_units_that_have_led_in_vain_one_leads_at_a_time(
    noted: Tried, url: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief_leads(monkeypatch)
    crowd = Crowd()
    with own_session(url) as session:
        session.execute("SELECT pg_advisory_lock(7)")
        held = [crowd.waits(noted.database) for _ in range(postgresql.WRITERS)]
        until(lambda: crowd.again > 3 * postgresql.WRITERS)
        session.execute("SELECT pg_advisory_unlock(7)")
        for one in held:
            one.result(PATIENCE_SECONDS)
    assert crowd.most == 1
    assert notes(noted.database) == postgresql.WRITERS


def test_units_that_have_waited_in_vain_for_long_are_told_so_and_nothing_of_them_is_done(
    single: Tried, url: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief_leads(monkeypatch, patience=0.1)
    begun: list[None] = []

    def wait(store: Store) -> object:
        begun.append(None)
        noting(store)
        return waiting(store)

    with own_session(url) as session:
        session.execute("SELECT pg_advisory_lock(7)")
        held = [single.database.submit(wait, joins=True) for _ in range(8)]
        assert {type(one.exception(PATIENCE_SECONDS)) for one in held} == {StorageUnavailable}
    # Each leads once, and five times twenty milliseconds are over when all of them are to be told.
    assert 8 <= len(begun) <= 8 + 5
    assert single.database.trouble is None
    single.database.write(noting)
    assert notes(single.database) == 1


def test_a_unit_that_is_not_patient_is_given_up_when_it_has_waited_in_vain_once(
    single: Tried, url: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief_leads(monkeypatch)
    begun: list[None] = []

    def wait(store: Store) -> object:
        begun.append(None)
        return waiting(store)

    with own_session(url) as session:
        session.execute("SELECT pg_advisory_lock(7)")
        with pytest.raises(StorageUnavailable):
            single.database.write(wait, patient=False)
    assert len(begun) == 1


def test_a_database_is_closed_although_somebody_keeps_a_lock(
    single: Tried, url: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief_leads(monkeypatch)
    with own_session(url) as session:
        session.execute("SELECT pg_advisory_lock(7)")
        held = [single.database.submit(waiting, joins=joins) for joins in (True, False)]
        closing = threading.Thread(target=single.database.close, daemon=True)
        closing.start()
        closing.join(PATIENCE_SECONDS)
        assert not closing.is_alive()
        assert [type(one.exception(0)) for one in held] == [StorageUnavailable] * 2


def test_a_unit_that_has_waited_for_a_lock_in_vain_takes_no_others(
    single: Tried, url: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief_leads(monkeypatch)
    with own_session(url) as session:
        session.execute("SELECT pg_advisory_lock(7)")
        hold = Held(single.database)
        held, led = single.database.submit(waiting, joins=True), single.database.submit(longest_wait, joins=True)
        hold.let_go()
        assert led.result(PATIENCE_SECONDS) > 1
        session.execute("SELECT pg_advisory_unlock(7)")
        held.result(PATIENCE_SECONDS)


def test_while_one_waits_in_vain_others_that_come_wait_for_a_moment_only(
    single: Tried, url: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief_leads(monkeypatch)
    monkeypatch.setattr(postgresql_groups, "HURRIED", "SET LOCAL lock_timeout = 7; ")
    with own_session(url) as session:
        session.execute("SELECT pg_advisory_lock(7)")
        hold = Held(single.database)
        held = single.database.submit(waiting, joins=True)
        hurried, alone = [single.database.submit(longest_wait, joins=joins) for joins in (True, False)]
        hold.let_go()
        assert (hurried.result(PATIENCE_SECONDS), alone.result(PATIENCE_SECONDS)) == (7, 20)
        session.execute("SELECT pg_advisory_unlock(7)")
        held.result(PATIENCE_SECONDS)
    assert single.database.submit(longest_wait, joins=True).result(PATIENCE_SECONDS) == 20


class Kept:
    """A unit that has led in vain, leads again, and is kept at its work."""

    def __init__(self, database: PostgresqlDatabase, session: Session) -> None:
        self._begun, self._go = threading.Event(), threading.Event()
        led: list[None] = []

        def work(store: Store) -> None:
            led.append(None)
            execute(store, "SELECT pg_advisory_xact_lock(8)")
            self._begun.set()
            assert self._go.wait(PATIENCE_SECONDS)

        session.execute("SELECT pg_advisory_lock(8)")
        self._done = database._units.submit(work, patience=LONGER_THAN_ANYBODY_WAITS)
        until(lambda: len(led) > 1)
        session.execute("SELECT pg_advisory_unlock(8)")
        assert self._begun.wait(PATIENCE_SECONDS)

    def let_go(self) -> None:
        self._go.set()
        self._done.result(PATIENCE_SECONDS)


def test_who_has_waited_in_vain_for_long_hears_of_it_although_another_works_on(
    noted: Tried, url: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief_leads(monkeypatch, patience=0.1)
    with own_session(url) as session:
        kept = Kept(noted.database, session)
        session.execute("SELECT pg_advisory_lock(7)")
        assert type(noted.database.submit(waiting, joins=True).exception(PATIENCE_SECONDS)) is StorageUnavailable
        kept.let_go()


def test_others_hurry_also_while_the_one_that_waits_in_vain_leads_again(
    noted: Tried, url: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief_leads(monkeypatch)
    monkeypatch.setattr(postgresql_groups, "HURRIED", "SET LOCAL lock_timeout = 7; ")
    with own_session(url) as session:
        kept = Kept(noted.database, session)
        assert noted.database.submit(longest_wait, joins=True).result(PATIENCE_SECONDS) == 7
        kept.let_go()
