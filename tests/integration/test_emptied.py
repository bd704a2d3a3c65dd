"""A database that is used for one test after the other is for each as if it had been made for it."""

from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa

from service.storage.postgresql_engine import own_session
from service.storage.tables import VERSION_TABLE
from tests.integration.cluster import Cluster
from tests.integration.conftest import served


@pytest.fixture
def name(cluster: Cluster) -> Iterator[str]:
    yield (name := cluster.create())
    cluster.drop(name)


def _dump(session: psycopg.Connection) -> list[object]:
    sequences = session.execute("SELECT sequencename, last_value FROM pg_sequences").fetchall()
    tables = session.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    rows = [session.execute(f"TABLE {table}".encode()).fetchall() for (table,) in sorted(tables)]
    return [sorted(sequences), *rows]


def _all_rows(cluster: Cluster, name: str) -> list[object]:
    with own_session(sa.make_url(cluster.url(name))) as session:
        return _dump(session)


def test_rows_and_sequences_are_as_they_were_at_first(cluster: Cluster, name: str) -> None:
    before = _all_rows(cluster, name)
    with served(cluster.url(name)) as api:
        api.submit(budget={"trials": 2})
        api.run([0.1, 0.2])
    with own_session(sa.make_url(cluster.url(name))) as session:
        session.execute(f"UPDATE {VERSION_TABLE} SET version_num = 'from_later'".encode())
    assert _all_rows(cluster, name) != before
    cluster.give_back(name)
    assert cluster.create() == name
    assert _all_rows(cluster, name) == before


def test_a_session_that_is_left_over_is_ended(cluster: Cluster, name: str) -> None:
    with own_session(sa.make_url(cluster.url(name))) as session:
        session.execute("BEGIN; LOCK TABLE studies")
        cluster.give_back(name)
        assert cluster.create() == name
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE notes (id bigint)",
        "DROP INDEX ix_studies_created_at_id",
        "ANALYZE studies",
        "ALTER TABLE studies ADD note text",
        "ALTER DATABASE {name} SET lock_timeout = 1",
    ],
)
def test_one_that_has_more_changed_in_it_than_rows_is_not_used_again(cluster: Cluster, change: str) -> None:
    name = cluster.create()
    with own_session(sa.make_url(cluster.url(name))) as session:
        session.execute(change.format(name=name).encode())
    cluster.give_back(name)
    assert cluster.create() != name
