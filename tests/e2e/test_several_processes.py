"""Several server processes on one PostgreSQL database: on one port, killed one by one, and started all at once."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from os import kill
from pathlib import Path

import pytest
from e2e_processes import Crew, Server, alive, children_of, eventually

from tests.integration.cluster import Cluster

TRIALS = 16
AT_ONCE = 8


@pytest.fixture
def database(cluster: Cluster) -> Iterator[str]:
    """An empty database."""
    name = cluster.create_empty()
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture
def pair(database: str, tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path, database, "--workers", "2") as running:
        yield running


def two_children(server: Server) -> set[int]:
    return eventually(lambda: len(found := children_of(server.pid)) == 2 and found, "two server processes") or set()


def test_processes_do_a_whole_study_though_each_is_killed_once_and_end_with_their_parent(
    pair: Server, tmp_path: Path
) -> None:
    study = pair.submit("together", TRIALS, settings={"epochs": 3, "epoch_seconds": 0.05}, retry={"max_attempts": 20})
    with Crew(pair.url, tmp_path) as crew:
        crew.start(study=study, processes=2)
        eventually(lambda: pair.startups() == 2, "two processes that serve")
        for count, killed in enumerate(two_children(pair), 1):
            kill(killed, signal.SIGKILL)
            eventually(lambda count=count: pair.startups() == 2 + count, "another process in its place")
        pair.when(study.id, "completed")
    trials = pair.details(study.id)
    assert [trial.number for trial in trials] == list(range(TRIALS))
    assert all([attempt.end for attempt in trial.attempts].count("completed") == 1 for trial in trials)
    children = two_children(pair)
    assert pair.end() == 0
    assert not any(alive(child) for child in children)


@pytest.mark.slow
def test_processes_whose_parent_is_killed_end_too(pair: Server) -> None:
    children = two_children(pair)
    pair.kill()
    eventually(lambda: not any(alive(child) for child in children), "the end of the orphans")


@pytest.mark.slow
def test_servers_that_start_at_once_on_an_empty_database_migrate_it_once(database: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        servers = [_beside(tmp_path / str(number), database) for number in range(AT_ONCE)]
        for server in servers:
            server.launch()
            stack.push(server)
        for server in servers:
            server.when_ready()
        assert servers[0].submit("shared", 1).id == servers[-1].client.study("shared").id


def _beside(folder: Path, database: str) -> Server:
    folder.mkdir()
    return Server(folder, database)
