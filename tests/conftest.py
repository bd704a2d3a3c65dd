"""Settings of the whole suite: how long an example takes says nothing about what it shows."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from tests.integration.cluster import Cluster, binaries

REQUIRE = "SHIBORI_REQUIRE_POSTGRESQL"

settings.register_profile("shibori", deadline=None)
settings.load_profile("shibori")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL server of the tests' own."""
    folder = binaries()
    if folder is None and os.environ.get(REQUIRE) == "1":
        pytest.fail(f"no PostgreSQL server is installed here, and {REQUIRE} asks for one", pytrace=False)
    if folder is None:
        pytest.skip("no PostgreSQL server is installed here")
    started = Cluster(folder)
    yield started
    started.stop()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Says which databases the integration tests could run on."""
    found = binaries()
    where = "SQLite ONLY: no PostgreSQL server is installed here" if found is None else f"SQLite and {found}"
    terminalreporter.write_line(f"integration tests run on {where}", yellow=found is None)
