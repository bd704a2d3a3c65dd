"""Settings of the whole suite: how long an example takes says nothing about what it shows."""

from typing import Any

from hypothesis import settings

from tests.integration.cluster import binaries

settings.register_profile("shibori", deadline=None)
settings.load_profile("shibori")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Says which databases the integration tests could run on."""
    found = binaries()
    where = "SQLite ONLY: no PostgreSQL server is installed here" if found is None else f"SQLite and {found}"
    terminalreporter.write_line(f"integration tests run on {where}", yellow=found is None)
