"""The server as a whole: its schema, its health, its errors, and the file that it has to itself."""

import pytest
import sqlalchemy as sa

from service.api.problems import KINDS
from service.domain import errors
from service.domain.errors import ShiboriError
from service.operations.submit import submit_study
from service.protocol import StudySpec
from service.storage import migrations
from service.storage.sole_use import DatabaseInUse
from service.storage.store import Store
from tests.integration.cluster import Cluster
from tests.integration.harness import Api, ok, refused, spec


def test_the_migrations_make_the_schema_that_the_tables_describe(database_url: str) -> None:
    migrations.check(database_url)
    migrations.upgrade(database_url)
    migrations.check(database_url)


def test_a_postgresql_database_without_the_schema_is_given_it_by_its_first_server(cluster: Cluster) -> None:
    name = cluster.create_empty()
    api = Api(cluster.url(name))
    migrations.check(cluster.url(name))
    api.submit()
    api.stop()
    cluster.drop(name)


def test_a_database_of_a_later_version_is_left_alone(database_url: str) -> None:
    engine = migrations.migration_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE shibori_schema_version SET version_num = 'from_later'"))
    engine.dispose()
    for attempt in (migrations.upgrade, migrations.check, migrations.prepare):
        with pytest.raises(migrations.SchemaMismatch, match="from_later"):
            attempt(database_url)


def test_a_sqlite_file_has_one_server(shared_api: Api) -> None:
    if shared_api.url.startswith("sqlite"):
        with pytest.raises(DatabaseInUse, match="another server"):
            Api(shared_api.url)


def test_it_is_alive_and_ready_and_says_its_version(shared_api: Api) -> None:
    assert ok(shared_api.client.get("/livez")) == {"status": "alive"}
    ready = ok(shared_api.client.get("/readyz"))
    assert ready["status"] == "ready"
    checked = {check["name"] for check in ready["checks"] if check["ready"]}
    assert checked == {"server", "database", "migrations", "sweeper", "suggester", "remover"}
    about = ok(shared_api.client.get("/version"))
    assert about["version"]
    assert about["database"].split()[0] in ("SQLite", "PostgreSQL")


def test_it_tells_what_it_can_do(shared_api: Api) -> None:
    algorithms = ok(shared_api.get("/algorithms"))
    assert {"random", "grid", "bayesian"} <= {one["name"] for one in algorithms["search"]}
    assert "leaders" in {one["name"] for one in algorithms["narrowing"]}
    assert all(one["settings"]["type"] == "object" for one in algorithms["search"])
    objectives = ok(shared_api.get("/objectives"))["items"]
    assert "validation_accuracy" in next(one for one in objectives if one["name"] == "multi_layer_net")["metrics"]


def test_an_error_that_nobody_foresaw_is_a_problem_document_too(api: Api) -> None:
    api.app.state.notifier = None
    document = refused(api.post("/claims", {"worker": "a", "objectives": ["b"]}), 500, "server-error")
    assert "NoneType" not in document["detail"]


def test_what_fails_leaves_nothing_behind(api: Api) -> None:
    database = api.app.state.database
    submitted = _whole(spec("half"))

    def broken(store: Store) -> None:
        submit_study(store, submitted)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.write(broken)
    refused(api.get("/studies/half"), 404, "study-not-found")
    api.submit("half")


def _whole(given: dict[str, object]) -> dict[str, object]:
    return StudySpec.model_validate(given).model_dump(mode="json")


def test_a_reading_unit_of_work_cannot_write(api: Api) -> None:
    with pytest.raises(sa.exc.DBAPIError):
        api.app.state.database.read(lambda store: store.studies.update("x", round=1) or store.workers.seen)


def test_every_domain_error_has_its_kind() -> None:
    declared = {one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, ShiboriError)} - {
        ShiboriError
    }
    assert declared == set(KINDS)
    assert len({kind.slug for kind in KINDS.values()}) == len(KINDS)


def test_the_errors_that_pass_are_those_of_a_server_that_is_busy() -> None:
    assert {error for error in KINDS if error.passes} == {error for error, kind in KINDS.items() if kind.status >= 500}
