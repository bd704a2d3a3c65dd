"""Units of work that share a transaction on PostgreSQL: each is undone alone, and answered after the commit."""

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from service.storage.postgresql_engine import own_session
from service.storage.sqlite import SqliteDatabase
from service.storage.store import OutcomeUnknown, Store, system_clock
from service.storage.watched import Watched
from tests.integration.grouped import PATIENCE_SECONDS, grouped, noting, number, once
from tests.integration.harness import SeededEntropy, until
from tests.integration.postgresql_proxy import Loss, Proxy
from tests.integration.tried import Tried, execute, lose_a_race, note, notes

LOSES_ITS_FIRST_COMMIT = """
    CREATE SEQUENCE commits;
    CREATE FUNCTION lose_first() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN IF nextval('commits') = 1 THEN RAISE EXCEPTION SQLSTATE '{state}'; END IF; RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER lose_first AFTER INSERT ON notes DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION lose_first();
"""


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
