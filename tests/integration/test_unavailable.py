"""A database that takes no writes for a while: 503, nothing half recorded, and then service goes on."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from service.storage.condition import StorageUnavailable
from service.storage.sqlite import SqliteDatabase
from service.storage.store import Store
from tests.integration.attending import LONG, sweeper_of, there_for
from tests.integration.cluster import Cluster
from tests.integration.harness import Api, ok, refused, spec


def full(store: Store) -> None:
    """Writes what the database has no room for."""
    pages = store._connection.scalar(sa.text("PRAGMA page_count"))
    store._connection.execute(sa.text(f"PRAGMA max_page_count = {pages}"))
    store._connection.execute(sa.text("CREATE TABLE too_much AS SELECT zeroblob(1000000) AS content"))


def batched(database: SqliteDatabase, *units: object) -> list[object]:
    """Units that are written in one transaction; what each of their callers was told."""
    begun, go = threading.Event(), threading.Event()

    def hold(_: Store) -> None:
        begun.set()
        go.wait()

    held = database.submit(hold)
    begun.wait()
    futures = [database.submit(unit) for unit in units]  # type: ignore[arg-type]
    go.set()
    held.result()
    return [future.exception() or future.result() for future in futures]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_disk_that_is_full_undoes_the_whole_batch_and_the_next_one_is_written(api: Api) -> None:
    api.submit()

    def rename(store: Store) -> None:
        store.studies.update(api.show()["id"], name="renamed")

    told = batched(api.app.state.database, rename, full, rename)
    assert [type(one) for one in told] == [StorageUnavailable] * 3
    refused(api.client.get("/readyz"), 503, "not-ready")
    assert api.show()["name"] == "study"
    api.run([0.5])
    ok(api.client.get("/readyz"))
    assert api.counts()["completed"] == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("told", [None, ValueError("of another kind"), MemoryError()], ids=repr)
def test_nothing_is_acknowledged_that_sqlite_has_undone_by_itself(api: Api, told: Exception | None) -> None:
    api.submit()

    def rename(store: Store) -> None:
        store.studies.update(api.show()["id"], name="renamed")

    def undone(store: Store) -> None:
        store._connection.connection.driver_connection.execute("ROLLBACK")
        if told is not None:
            raise told

    answers = batched(api.app.state.database, rename, undone, rename)
    assert [type(one) for one in answers] == [StorageUnavailable] * 3
    assert api.show()["name"] == "study"
    api.run([0.5])
    assert api.counts()["completed"] == 1


@contextmanager
def read_only(server: str, database: str | None) -> Iterator[None]:
    """A PostgreSQL database takes no writes; connections that are open hear of it by being closed."""
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:

        def switch(to: str) -> None:
            connection.execute(sa.text(f"ALTER DATABASE {database} SET default_transaction_read_only = {to}"))
            ended = sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
            connection.execute(ended, {"name": database})

        switch("on")
        yield
        switch("off")
    engine.dispose()


@contextmanager
def unwritable(api: Api, request: pytest.FixtureRequest) -> Iterator[None]:
    """The last that the server knows within it is that its database could not be written."""
    database = api.app.state.database
    if api.url.startswith("sqlite"):
        batched(database, full)
        yield
    else:
        cluster: Cluster = request.getfixturevalue("cluster")
        with read_only(cluster.url("postgres"), sa.make_url(api.url).database):
            answer = api.post("/studies", spec("another"))
            refused(answer, 503, "storage-unavailable")
            assert int(answer.headers["Retry-After"]) > 0
            yield


def test_reading_goes_on_and_the_server_is_not_ready(api: Api, request: pytest.FixtureRequest) -> None:
    api.submit()
    with unwritable(api, request):
        assert api.counts() == {}
        assert "cannot be written" in refused(api.client.get("/readyz"), 503, "not-ready")["detail"]
    api.sweep()
    ok(api.client.get("/readyz"))


def test_no_lease_is_taken_back_for_a_while_in_which_none_could_be_renewed(
    api: Api, request: pytest.FixtureRequest
) -> None:
    api.submit()
    held, another = api.claim_one(), api.claim_one(worker="bob")
    sweeper = sweeper_of(api)
    with unwritable(api, request):
        api.clock.move(LONG)
    assert {trial["id"] for trial in api.claim(2, worker="cal")}.isdisjoint({held["id"], another["id"]})
    sweeper.sweep()
    ok(api.complete(held))
    there_for(sweeper, api, 31)
    assert api.trial(another["number"])["status"] == "waiting"
