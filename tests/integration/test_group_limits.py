"""Units of work on PostgreSQL that would wait for a lock, or take long: whoever shares a transaction is spared that."""

import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from service.storage import postgresql, postgresql_groups
from service.storage.postgresql_engine import own_session
from service.storage.store import Store
from tests.integration.grouped import (
    PATIENCE_SECONDS,
    Unit,
    brief_leads,
    grouped,
    noting,
    number,
    once,
    started,
    waiting,
)
from tests.integration.harness import until
from tests.integration.tried import Tried, execute, note, notes


@pytest.fixture
def limited(noted: Tried, url: sa.URL) -> Iterator[Tried]:
    """One thread that writes to a database which ends statements that take longer than half a second."""
    limited = Tried(url.update_query_dict({"options": "-c statement_timeout=500"}), writers=1)
    yield limited
    limited.database.close()


def test_a_server_that_stops_in_the_middle_of_a_transaction_gives_its_locks_back(
    single: Tried, url: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = "SELECT current_setting('lock_timeout') || ', ' || current_setting('idle_in_transaction_session_timeout')"
    assert single.database.write(lambda store: store._connection.scalar(sa.text(limits))) == "1s, 10s"
    monkeypatch.setattr(postgresql_groups, "LEADING", "SET LOCAL idle_in_transaction_session_timeout = 20; ")

    def stopped(store: Store) -> None:
        note(store)
        pid = number(store, "SELECT pg_backend_pid()")
        with own_session(url) as session:
            until(lambda: not session.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone())
        note(store)

    single.database.write(once(stopped, noting))
    assert (single.causes, notes(single.database)) == (["connection"], 1)


def test_a_unit_that_would_wait_for_a_lock_lets_the_others_be_committed_first(single: Tried, url: sa.URL) -> None:
    with own_session(url) as session:
        session.execute("SELECT pg_advisory_lock(7)")
        first, second, third = started(single.database, noting, waiting, noting)
        assert first.result(PATIENCE_SECONDS) == third.result(PATIENCE_SECONDS)
        assert not second.done()
        session.execute("SELECT pg_advisory_unlock(7)")
        assert second.result(PATIENCE_SECONDS) != first.result()
    assert (notes(single.database), single.causes) == (3, [])


def test_a_lock_that_all_threads_wait_for_does_not_keep_the_others_out(
    noted: Tried, url: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief_leads(monkeypatch)
    with own_session(url) as session:
        session.execute("SELECT pg_advisory_lock(7)")
        held = [noted.database.submit(waiting) for _ in range(postgresql.WRITERS)]
        assert type(noted.database.submit(noting).result(PATIENCE_SECONDS)) is int
        assert not any(one.done() for one in held)
        session.execute("SELECT pg_advisory_unlock(7)")
        assert len({one.result(PATIENCE_SECONDS) for one in held}) == postgresql.WRITERS
    assert (noted.causes, noted.pauses) == ([], [])


def test_units_that_were_put_off_share_the_next_transaction(single: Tried, url: sa.URL) -> None:
    with own_session(url) as session:
        session.execute("SELECT pg_advisory_lock(7)")
        first, *others = started(single.database, noting, *[waiting] * 6)
        first.result(PATIENCE_SECONDS)
        session.execute("SELECT pg_advisory_unlock(7)")
        assert len({one.result(PATIENCE_SECONDS) for one in others}) <= 2


def test_units_that_were_put_off_are_done_before_the_database_is_closed(
    single: Tried, url: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_groups, "LEADING", "")
    with own_session(url) as session:
        session.execute("SELECT pg_advisory_lock(7)")
        first, *others = started(single.database, noting, *[waiting] * 3)
        closing = threading.Thread(target=single.database.close)
        closing.start()
        first.result(PATIENCE_SECONDS)
        session.execute("SELECT pg_advisory_unlock(7)")
        closing.join(PATIENCE_SECONDS)
    assert all(type(one.result(0)) is int for one in others)


def test_a_unit_that_was_put_off_is_done_again_where_the_commit_fails_that_it_is_not_in(
    single: Tried, url: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed, commit = threading.Event(), postgresql._commit

    def fail_once(transaction: sa.RootTransaction) -> None:
        if not failed.is_set():
            failed.set()
            raise RuntimeError("not committed")
        commit(transaction)

    monkeypatch.setattr(postgresql, "_commit", fail_once)
    brief_leads(monkeypatch)
    with own_session(url) as session:
        session.execute("SELECT pg_advisory_lock(7)")
        unit = single.database.submit(waiting)
        assert failed.wait(PATIENCE_SECONDS)
        session.execute("SELECT pg_advisory_unlock(7)")
        assert type(unit.result(PATIENCE_SECONDS)) is int


def test_a_unit_that_takes_long_is_done_by_itself(single: Tried, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql_groups, "IMPATIENT", "SET LOCAL statement_timeout = 100; ")
    begun: list[None] = []

    def long(store: Store) -> object:
        begun.append(None)
        execute(store, "SELECT pg_sleep(0.15)")
        return noting(store)

    first, second, _ = grouped(single.database, noting, long, noting)
    assert first != second
    assert (len(begun), notes(single.database), single.causes) == (2, 3, [])


def test_a_commit_is_never_cut_short(limited: Tried) -> None:
    limits = "SELECT current_setting('statement_timeout') || ', ' || current_setting('lock_timeout')"
    limited.database.write(lambda store: execute(store, _TOLD_AT_COMMIT))
    assert grouped(limited.database, note, lambda store: store._connection.scalar(sa.text(limits)))[1] == "1s, 1ms"
    said = limited.database.read(lambda store: store._connection.scalar(sa.text("SELECT limits FROM told")))
    assert said == "0"


def test_a_limit_on_statements_that_the_database_has_is_none_for_whoever_waits_for_a_lock(limited: Tried) -> None:
    begun: list[None] = []

    def slow(store: Store) -> object:
        begun.append(None)
        execute(store, "SELECT pg_sleep(0.7)")
        return noting(store)

    assert type(limited.database.submit(slow, joins=True).result(PATIENCE_SECONDS)) is int
    assert len(begun) == 1


_TOLD_AT_COMMIT = """
    CREATE TABLE told (limits text);
    CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO told VALUES (current_setting('statement_timeout')); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER tell AFTER INSERT ON notes DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION tell();
"""


def test_two_processes_that_change_the_same_rows_lose_no_update_and_wait_for_each_other_without_end_nowhere(
    noted: Tried, url: sa.URL
) -> None:
    def add_to(row: int) -> Unit:
        def add(store: Store) -> None:
            found = number(store, f"SELECT n FROM counts WHERE id = {row} FOR UPDATE")
            execute(store, f"UPDATE counts SET n = {found + 1} WHERE id = {row}")

        return add

    noted.database.write(
        lambda store: execute(store, "CREATE TABLE counts AS SELECT id, 0 AS n FROM (VALUES (0), (1)) v(id)")
    )
    both = [Tried(url, writers=2), Tried(url, writers=2)]
    done = [
        one.database.submit(add_to((turn + index) % 2), joins=True)
        for turn in range(100)
        for index, one in enumerate(both)
    ]
    for one in done:
        one.result(PATIENCE_SECONDS)
    assert noted.database.read(lambda store: number(store, "SELECT min(n) FROM counts")) == 100
    assert noted.database.read(lambda store: number(store, "SELECT max(n) FROM counts")) == 100
    for one in both:
        one.database.close()
        assert one.causes == []
