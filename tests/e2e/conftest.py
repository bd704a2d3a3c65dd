"""Real servers and workers: processes of their own, on free ports and SQLite files of their own."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e_processes import Crew, Server


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> Iterator[None]:
    """What a test starts can be interrupted, also where a shell has the whole run ignore it in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that the tests of a module share."""
    with Server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server that a test may kill."""
    with Server(tmp_path) as running:
        yield running


@pytest.fixture
def crew(server: Server, tmp_path: Path) -> Iterator[Crew]:
    """Workers for the shared server."""
    with Crew(server.url, tmp_path) as workers:
        yield workers


@pytest.fixture
def own_crew(own_server: Server, tmp_path: Path) -> Iterator[Crew]:
    """Workers for a server that a test may kill."""
    with Crew(own_server.url, tmp_path) as workers:
        yield workers
