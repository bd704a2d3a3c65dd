"""Units of work that share a transaction on PostgreSQL: each is undone alone, and answered after the commit."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from service.storage import postgresql, postgresql_groups
from service.storage.condition import StorageUnavailable
from service.storage.postgresql_engine import own_session
from service.storage.sqlite import SqliteDatabase
from service.storage.store import Database, OutcomeUnknown, Store, system_clock
from service.storage.watched import Watched
from tests.integration.harness import SeededEntropy, until
from tests.integration.postgresql_proxy import Loss, Proxy
from tests.integration.tried import Tried, execute, lose_a_race, note, notes

PATIENCE_SECONDS = 30.0
Unit = Callable[[Store], object]
LOSES_ITS_FIRST_COMMIT = """
    CREATE SEQUENCE commits;
    CREATE FUNCTION lose_first() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN IF nextval('commits') = 1 THEN RAISE EXCEPTION SQLSTATE '{state}'; END IF; RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER lose_first AFTER INSERT ON notes DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION lose_first();
"""


@pytest.fixture
def single(noted: Tried, url: sa.URL, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tried]:
    """With one thread that writes, so that what is submitted while it is busy comes into one transaction."""
    monkeypatch.setattr(postgresql_groups, "LONGEST_GROUP_SECONDS", PATIENCE_SECONDS)
    single = Tried(url, writers=1)
    yield single
    single.database.close()


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


def test_units_that_wait_share_a_transaction(single: Tried) -> None:
    told = grouped(single.database, noting, noting, noting)
    assert len(set(told)) == 1
    assert notes(single.database) == 3


def test_a_unit_that_fails_is_undone_alone(single: Tried) -> None:
    def refused(store: Store) -> None:
        note(store)
        raise ValueError("refused")

    def wrong(store: Store) -> None:
        note(store)
        execute(store, "SELECT 1 / 0")

    first, second, third, last = grouped(single.database, noting, refused, wrong, noting)
    assert first == last
    assert (type(second), type(third)) == (ValueError, sa.exc.DataError)
    assert notes(single.database) == 2


def test_a_unit_that_goes_on_after_an_error_of_the_database_is_not_acknowledged(single: Tried) -> None:
    def swallowing(store: Store) -> None:
        note(store)
        with pytest.raises(sa.exc.DataError):
            execute(store, "SELECT 1 / 0")

    first, second, last = grouped(single.database, noting, swallowing, noting)
    assert (first == last, type(second)) == (True, RuntimeError)
    assert type(grouped(single.database, swallowing)[0]) is RuntimeError
    assert notes(single.database) == 2


def test_a_unit_that_lost_a_race_is_done_again_after_the_others(single: Tried) -> None:
    first, second, third = grouped(single.database, noting, once(lose_a_race, noting), noting)
    assert first == third != second
    assert (single.causes, len(single.pauses)) == (["serialization"], 1)
    assert notes(single.database) == 3


@pytest.mark.parametrize(("state", "causes"), [("40001", ["serialization"] * 4), ("23514", [])])
def test_where_the_commit_of_a_group_is_refused_each_unit_is_done_again_alone(
    single: Tried, state: str, causes: list[str]
) -> None:
    single.database.write(lambda store: execute(store, LOSES_ITS_FIRST_COMMIT.format(state=state)))
    told = grouped(single.database, noting, noting, noting)
    assert len(set(told)) == 3
    assert single.causes == causes
    assert notes(single.database) == 3


def test_a_connection_that_is_lost_in_the_middle_of_a_group_loses_nothing_of_it(single: Tried) -> None:
    def cut_off(store: Store) -> object:
        return execute(store, "SELECT pg_terminate_backend(pg_backend_pid())")

    told = grouped(single.database, noting, once(cut_off, noting), noting)
    assert all(isinstance(one, int) for one in told)
    assert set(single.causes) == {"connection"}
    assert notes(single.database) == 3


def test_a_connection_that_is_lost_beneath_a_statement_compiled_once_is_noticed(single: Tried, url: sa.URL) -> None:
    def cut_off(store: Store) -> None:
        with own_session(url) as session:
            session.execute("SELECT pg_terminate_backend(%s)", [number(store, "SELECT pg_backend_pid()")])
        store.studies.stir("none")

    single.database.write(once(cut_off, noting))
    assert single.causes == ["connection"]
    assert notes(single.database) == 1


def test_a_connection_that_is_lost_between_two_units_loses_none_of_them(single: Tried, url: sa.URL) -> None:
    def cut_off(store: Store) -> None:
        with own_session(url) as session:
            pid = number(store, "SELECT pg_backend_pid()")
            session.execute("SELECT pg_terminate_backend(%s)", [pid])
            until(lambda: not session.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone())

    told = grouped(single.database, noting, once(cut_off, noting), noting)
    assert all(isinstance(one, int) for one in told)
    assert notes(single.database) == 3


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


def failing(_: object) -> None:
    raise OSError("nobody hears")


def test_those_whose_units_are_committed_are_answered_whatever_a_listener_does(
    single: Tried, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(single.database, "_on_commit", failing)
    url = sa.make_url(f"sqlite:///{tmp_path}/shibori.db")
    sqlite = SqliteDatabase(url, clock=system_clock, entropy=SeededEntropy(), on_commit=failing)
    for database in (single.database, sqlite):
        assert [database.submit(lambda _: 1).result(PATIENCE_SECONDS) for _ in range(2)] == [1, 1]
    assert caplog.text.count("OSError: nobody hears") == 4
    sqlite.close()


@pytest.mark.parametrize(("when", "there"), [("before", 0), ("after", 2)])
def test_all_of_a_group_are_told_that_its_outcome_is_unknown(
    noted: Tried, through: sa.URL, proxy: Proxy, when: Loss, there: int
) -> None:
    far = Tried(through, writers=1)
    proxy.lose_commit(when)
    assert [type(one) for one in grouped(far.database, note, note)] == [OutcomeUnknown] * 2
    assert (notes(noted.database), far.causes) == (there, [])
    assert type(grouped(far.database, noting)[0]) is int
    assert notes(noted.database) == there + 1
    far.database.close()


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
    monkeypatch.setattr(postgresql_groups, "LEADING", "SET LOCAL lock_timeout = 20; ")
    with own_session(url) as session:
        session.execute("SELECT pg_advisory_lock(7)")
        held = [noted.database.submit(waiting) for _ in range(postgresql.WRITERS)]
        assert type(noted.database.submit(noting).result(PATIENCE_SECONDS)) is int
        assert not any(one.done() for one in held)
        session.execute("SELECT pg_advisory_unlock(7)")
        assert len({one.result(PATIENCE_SECONDS) for one in held}) == postgresql.WRITERS
    assert (noted.causes, noted.pauses) == ([], [])


class Commits:
    """Hears how many units shared each commit."""

    def __init__(self) -> None:
        self.units: list[int] = []

    def happened(self, facts: object) -> None: ...

    def took(self, kind: object, seconds: float) -> None: ...

    def waits(self, change: int) -> None: ...

    def committed(self, units: int, seconds: float) -> None:
        self.units.append(units)


def test_a_unit_that_was_put_off_counts_in_the_commit_that_it_is_in(
    single: Tried, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = Commits()
    watched = Watched(commits).open(single.database)
    monkeypatch.setattr(single.database, "_on_commit", watched.telling(lambda _: None))
    grouped(watched, noting, once(lose_a_race, noting), noting)
    assert commits.units == [3, 1]


def test_units_that_were_put_off_share_the_next_transaction(single: Tried, url: sa.URL) -> None:
    with own_session(url) as session:
        session.execute("SELECT pg_advisory_lock(7)")
        first, *others = started(single.database, noting, *[waiting] * 6)
        first.result(PATIENCE_SECONDS)
        session.execute("SELECT pg_advisory_unlock(7)")
        assert len({one.result(PATIENCE_SECONDS) for one in others}) <= 2


def test_units_that_were_put_off_are_done_before_the_database_is_closed(single: Tried, url: sa.URL) -> None:
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
    monkeypatch.setattr(postgresql_groups, "LEADING", "SET LOCAL lock_timeout = 20; ")
    with own_session(url) as session:
        session.execute("SELECT pg_advisory_lock(7)")
        unit = single.database.submit(waiting)
        assert failed.wait(PATIENCE_SECONDS)
        session.execute("SELECT pg_advisory_unlock(7)")
        assert type(unit.result(PATIENCE_SECONDS)) is int


def test_a_unit_that_may_take_long_shares_its_transaction_with_none(single: Tried) -> None:
    begun, go = threading.Event(), threading.Event()

    def hold(store: Store) -> object:
        begun.set()
        assert go.wait(PATIENCE_SECONDS)
        return noting(store)

    held = [single.database.submit(hold, joins=True)]
    assert begun.wait(PATIENCE_SECONDS)
    held += [single.database.submit(noting, joins=joins) for joins in (True, False, True)]
    go.set()
    first, second, third, last = [one.result(PATIENCE_SECONDS) for one in held]
    assert first == second
    assert len({first, third, last}) == 3


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


def test_a_commit_is_never_cut_short(single: Tried) -> None:
    limits = "SELECT current_setting('statement_timeout') || ', ' || current_setting('lock_timeout')"
    single.database.write(lambda store: execute(store, _TOLD_AT_COMMIT))
    assert grouped(single.database, note, lambda store: store._connection.scalar(sa.text(limits)))[1] == "1s, 1ms"
    said = single.database.read(lambda store: store._connection.scalar(sa.text("SELECT limits FROM told")))
    assert said == "0"


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


def number(store: Store, statement: str) -> int:
    return int(store._connection.scalar(sa.text(statement)) or 0)
