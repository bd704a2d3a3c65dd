"""Statements that are compiled once come to the same as when SQLAlchemy runs them."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from service.domain.status import TrialStatus
from service.storage.prepared import Prepared, Record
from service.storage.savepoints import savepoint
from service.storage.store import Store
from service.storage.tables import trials, workers
from tests.integration.harness import Api

ALL = sa.select(trials).where(trials.c.number >= sa.bindparam("from_number")).order_by(trials.c.number)
SEEN = datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=UTC)


def test_rows_have_the_values_that_sqlalchemy_gives_them(api: Api) -> None:
    api.submit()
    api.run([0.1, 0.2, 0.3])

    def both(store: Store) -> None:
        connection = store._connection
        rows = Prepared(ALL).rows(connection, {"from_number": 1})
        assert rows == [dict(row) for row in connection.execute(ALL, {"from_number": 1}).mappings()]
        assert [row["status"] for row in rows] == [TrialStatus.COMPLETED] * 2

    api.app.state.database.read(both)


def test_a_change_sets_what_its_parameters_name_and_nothing_else(api: Api) -> None:
    add, change = (
        Prepared(sa.insert(workers)),
        Prepared(sa.update(workers).where(workers.c.name == sa.bindparam("one"))),
    )
    new = {"objectives": ["a", "b"], "purposes": [], "study": None, "completed": 1, "failed": 2}

    def write(store: Store) -> None:
        connection = store._connection
        add.change(connection, {"name": "w", **new, "first_seen_at": SEEN, "last_seen_at": SEEN})
        assert change.change(connection, {"one": "w", "failed": 3}) == 1
        assert change.change(connection, {"one": "w", "study": "s"}) == 1
        assert change.change(connection, {"one": "nobody", "study": "s"}) == 0
        row = connection.execute(sa.select(workers)).mappings().one()
        assert dict(row) == {"name": "w", **new, "failed": 3, "study": "s", "first_seen_at": SEEN, "last_seen_at": SEEN}

    api.app.state.database.write(write)


def test_a_value_that_is_missing_is_an_error_and_not_a_null(api: Api) -> None:
    one = Prepared(sa.select(workers).where(workers.c.name == sa.bindparam("one")))
    with pytest.raises((KeyError, sa.exc.StatementError), match="one"):
        api.app.state.database.read(lambda store: one.rows(store._connection, {}))


def test_what_the_database_refuses_is_told_as_sqlalchemy_tells_it_and_undone(api: Api) -> None:
    one = {"name": "w", "objectives": [], "purposes": [], "completed": 0, "failed": 0}
    add = Prepared(sa.insert(workers))

    def add_both(connection: sa.Connection, first: Record, second: Record) -> None:
        with savepoint(connection):
            add.change(connection, first)
            add.change(connection, second)

    def write(store: Store) -> int:
        connection = store._connection
        row = {**one, "first_seen_at": SEEN, "last_seen_at": SEEN}
        add.change(connection, row)
        with pytest.raises(sa.exc.IntegrityError):
            add_both(connection, row | {"name": "other"}, row)
        return connection.scalar(sa.select(sa.func.count()).select_from(workers)) or 0

    assert api.app.state.database.write(write) == 1
