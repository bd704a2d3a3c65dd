"""Migrations keep what is in a database, from whatever revision it comes, and what they leave can be served."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from service.storage import migrations
from service.storage.migrations import _config, _transaction
from service.storage.tables import VERSION_TABLE
from tests.integration.cluster import Cluster
from tests.integration.conftest import BACKENDS, served
from tests.integration.earlier_rows import EPOCHS, ROWS, Row
from tests.integration.harness import ok

Table: TypeAlias = list[dict[str, Any]]

SCRIPTS = ScriptDirectory.from_config(_config())
REVISIONS = [script.revision for script in SCRIPTS.walk_revisions()][::-1]


@pytest.fixture(params=BACKENDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without any tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'shibori.db'}"
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    name = cluster.create_empty()
    yield cluster.url(name)
    cluster.drop(name)


def test_every_revision_has_rows_of_its_own() -> None:
    assert list(ROWS) == REVISIONS


def test_a_reference_to_what_is_gone_is_found(empty_url: str) -> None:
    _make(empty_url, REVISIONS[0])
    with _transaction(empty_url) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        connection.execute(sa.text("DELETE FROM studies"))
        found = [said.split()[2] for said in _references_to_nothing(connection)]
    assert {"rounds", "trials"} <= set(found)


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_database_of_any_revision_comes_to_this_one_with_all_that_is_in_it(empty_url: str, revision: str) -> None:
    _make(empty_url, revision)
    before = _content(empty_url)
    migrations.upgrade(empty_url)
    migrations.check(empty_url)
    _assert_kept(before, _content(empty_url))
    _assert_references_hold(empty_url)
    _assert_served(empty_url, revision)


def test_the_last_revision_can_be_taken_back_and_put_on_again(empty_url: str) -> None:
    _make(empty_url, REVISIONS[-1])
    before = _content(empty_url)
    _run(empty_url, lambda config: command.downgrade(config, "-1"))
    earlier = _content(empty_url)
    assert _revision(empty_url) == REVISIONS[-2]
    _assert_kept({name: before[name] for name in earlier}, earlier)
    _assert_references_hold(empty_url)
    migrations.upgrade(empty_url)
    migrations.check(empty_url)
    _assert_kept(earlier, _content(empty_url))
    _assert_references_hold(empty_url)
    _assert_served(empty_url, REVISIONS[-2])


def _make(url: str, revision: str) -> None:
    """Go up one by one, and write down at each what is its own."""
    for one in REVISIONS[: REVISIONS.index(revision) + 1]:
        _run(url, lambda config, one=one: command.upgrade(config, one))  # type: ignore[misc]
        with _transaction(url) as connection:
            for row in ROWS[one]:
                _insert(connection, row)


def _insert(connection: sa.Connection, row: Row) -> None:
    table, values = row
    columns = ", ".join(f'"{name}"' for name in values)
    given = ", ".join(f":{name}" for name in values)
    connection.execute(sa.text(f"INSERT INTO {table} ({columns}) VALUES ({given})"), dict(values))


def _run(url: str, work: Any) -> None:
    with _transaction(url) as connection:
        work(_config(connection))


def _revision(url: str) -> str | None:
    with _transaction(url) as connection:
        return migrations.current(connection)


def _content(url: str) -> dict[str, Table]:
    """Every row of every table, in the order of their keys."""
    with _transaction(url) as connection:
        inspector = sa.inspect(connection)
        names = [name for name in inspector.get_table_names() if name != VERSION_TABLE]
        keys = {name: inspector.get_pk_constraint(name)["constrained_columns"] for name in names}
        return {name: _rows(connection, name, keys[name]) for name in names}


def _rows(connection: sa.Connection, table: str, key: list[str]) -> Table:
    order = ", ".join(f'"{column}"' for column in key)
    found = connection.execute(sa.text(f"SELECT * FROM {table} ORDER BY {order}")).mappings()
    return [dict(row) for row in found]


def _assert_kept(before: dict[str, Table], after: dict[str, Table]) -> None:
    """The same rows, with what both revisions know of them."""
    for name, rows in before.items():
        assert len(after[name]) == len(rows), name
        for old, new in zip(rows, after[name], strict=True):
            both = old.keys() & new.keys()
            assert {column: new[column] for column in both} == {column: old[column] for column in both}, name


def _assert_references_hold(url: str) -> None:
    """Looked for row by row, since a database that was told to look away would not say."""
    with _transaction(url) as connection:
        assert list(_references_to_nothing(connection)) == []
        if connection.dialect.name == "sqlite":
            assert connection.scalar(sa.text("PRAGMA integrity_check")) == "ok"


def _references_to_nothing(connection: sa.Connection) -> Iterator[str]:
    inspector = sa.inspect(connection)
    for table in inspector.get_table_names():
        for key in inspector.get_foreign_keys(table):
            pairs = zip(key["constrained_columns"], key["referred_columns"], strict=True)
            same = " AND ".join(f'other."{there}" = one."{here}"' for here, there in pairs)
            given = " AND ".join(f'one."{here}" IS NOT NULL' for here in key["constrained_columns"])
            missing = f"NOT EXISTS (SELECT 1 FROM {key['referred_table']} AS other WHERE {same})"
            found = connection.scalar(sa.text(f"SELECT count(*) FROM {table} AS one WHERE {given} AND {missing}"))
            yield from [f"{found} of {table} by {key['constrained_columns']}"] if found else []


def _assert_served(url: str, revision: str) -> None:
    """What was recorded is shown, and the search goes on."""
    with served(url) as api:
        study = api.show("study-a")
        counts = {"waiting": 1, "running": 1, "completed": 2, "failed": 1, "cancelled": 1}
        assert api.counts("study-a") == counts
        assert study["best"]["number"] == 1
        best = ok(api.get("/studies/study-a/best?n=5"))["items"]
        assert [trial["number"] for trial in best] == [1, 0]
        assert ok(api.get("/studies/study-a/trials/0/curve"))["epochs"] == EPOCHS
        if revision >= "0005":
            assert ok(api.get("/studies/study-e/trials?purpose=confirmation"))["items"][1]["status"] == "waiting"
        claimed = api.claim(1, study="study-a")
        assert [trial["number"] for trial in claimed] == [5]
        (next_one,) = ok(api.complete(claimed[0], 0.9, claim_next=1))["claimed"]["trials"]
        assert next_one["number"] == 6
        assert ok(api.get("/studies/study-a/best?n=1"))["items"][0]["value"] == 0.9
