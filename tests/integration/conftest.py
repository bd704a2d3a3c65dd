"""Every test here runs on SQLite and, where its server is installed, on PostgreSQL."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import pytest
import sqlalchemy as sa

from service.background import Remover
from service.storage import migrations, postgresql_groups
from service.suggesting import SearchClosed, SearchProcess, Suggester
from tests.integration.cluster import Cluster
from tests.integration.grouped import PATIENCE_SECONDS
from tests.integration.harness import Api
from tests.integration.postgresql_proxy import Proxy
from tests.integration.tried import Tried, execute

BACKENDS = ("sqlite", "postgresql")


class SharedProcess(SearchProcess):
    """Answers from a process that other servers ask too, and that outlives them."""

    def __init__(self, shared: ProcessPoolExecutor) -> None:
        super().__init__()
        self._shared = shared

    def _running(self) -> ProcessPoolExecutor:
        if self._closed:
            raise SearchClosed
        return self._shared


@pytest.fixture(scope="session", autouse=True)
def shared_process() -> Iterator[None]:
    """To start a process that makes suggestions takes longer than most tests: all their servers have one."""
    with ProcessPoolExecutor(1, get_context("spawn")) as shared, pytest.MonkeyPatch.context() as patched:
        patched.setattr("service.app.SearchProcess", lambda: SharedProcess(shared))
        yield


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrations.upgrade(f"sqlite:///{path}")
    return path


@contextmanager
def migrated(request: pytest.FixtureRequest, folder: Path, backend: str | None = None) -> Iterator[str]:
    """The address of a fresh, migrated database."""
    if (backend or request.param) == "sqlite":
        path = folder / "shibori.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    name = cluster.create()
    yield cluster.url(name)
    cluster.give_back(name)


@contextmanager
def served(url: str) -> Iterator[Api]:
    api = Api(url)
    try:
        yield api
    finally:
        api.stop()


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with migrated(request, tmp_path) as url:
        yield url


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    with served(database_url) as running:
        yield running


@pytest.fixture(scope="module")
def suggesting_on_demand() -> Iterator[None]:
    """Slow suggestions are made when the test says so, not when a thread comes to it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Suggester, "suggest_for_all", lambda _: None)
        yield


@pytest.fixture(scope="module")
def removing_on_demand() -> Iterator[None]:
    """Rows are removed when the test says so, not when a thread comes to it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Remover, "remove", lambda _: None)
        yield


@pytest.fixture(scope="module", params=BACKENDS)
def shared_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a fresh, migrated database for a whole module."""
    with migrated(request, tmp_path_factory.mktemp("shared")) as url:
        yield url


@pytest.fixture(scope="module")
def shared_api(shared_url: str) -> Iterator[Api]:
    """One server for all tests of a module, which leave nothing behind that another one would see."""
    with served(shared_url) as running:
        yield running


@pytest.fixture
def url(cluster: Cluster) -> Iterator[sa.URL]:
    name = cluster.create()
    yield sa.make_url(cluster.url(name))
    cluster.give_back(name)


@pytest.fixture
def proxy(url: sa.URL) -> Iterator[Proxy]:
    proxy = Proxy(Path(str(url.query["host"])))
    yield proxy
    proxy.close()


@pytest.fixture
def through(url: sa.URL, proxy: Proxy) -> sa.URL:
    """The database as it is reached through the proxy."""
    return url.update_query_dict({"host": proxy.folder})


@pytest.fixture
def tried(url: sa.URL) -> Iterator[Tried]:
    tried = Tried(url)
    yield tried
    tried.database.close()


@pytest.fixture
def noted(tried: Tried) -> Tried:
    tried.database.write(lambda store: execute(store, "CREATE TABLE notes (id bigserial)"))
    return tried


@pytest.fixture
def single(noted: Tried, url: sa.URL, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tried]:
    """With one thread that writes, so that what is submitted while it is busy comes into one transaction."""
    monkeypatch.setattr(postgresql_groups, "LONGEST_GROUP_SECONDS", PATIENCE_SECONDS)
    single = Tried(url, writers=1)
    yield single
    single.database.close()
