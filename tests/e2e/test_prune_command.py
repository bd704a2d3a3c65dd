"""`shibori db prune`: beside a server through it, without one on the file itself."""

import json
import subprocess
from pathlib import Path

from e2e_processes import SHIBORI, Server

from service.protocol import ClaimRequest, Epoch


def prune(*arguments: str) -> "subprocess.CompletedProcess[str]":
    ran = [*SHIBORI, "db", "prune", "--older-than", "0", "--keep-best", "1", *arguments]
    return subprocess.run(ran, capture_output=True, text=True, check=False)


def told(*arguments: str) -> tuple[int, int]:
    """How many curves went, and how many bytes."""
    done = prune("--json", *arguments)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    return said["curves"], said["bytes"]


def with_curves(server: Server, name: str, values: tuple[float, ...]) -> None:
    """Trials that are told apart by their many samples, each with a curve."""
    server.submit(name, len(values))
    epochs = [Epoch(epoch=number, validation_accuracy=0.5) for number in range(1, 101)]
    for value in values:
        claim = ClaimRequest(worker="w", objectives=["scripted"], study=name)
        (claimed,) = server.client.claim(claim).trials
        server.client.complete(claimed.id, claimed.lease.token, value, samples=100_000, epochs=epochs)


def test_curves_are_removed_through_a_server_and_without_one(own_server: Server, tmp_path: Path) -> None:
    with_curves(own_server, "one", (0.9, 0.5, 0.4))
    with_curves(own_server, "two", (0.9, 0.5))
    database, server = ["--database", own_server.database], ["--server", own_server.url]
    refused = prune(*database)
    assert (refused.returncode, "another server has" in refused.stderr) == (1, True)
    curves, size = told("--dry-run", *server)
    assert (curves, size > 3_000) == (3, True)
    assert told("--study", "two", *server)[0] == 1
    assert own_server.client.curve("two", 1).removed
    assert not own_server.client.curve("two", 0).removed
    assert own_server.client.curve("one", 1).epochs
    own_server.end()
    before = (tmp_path / "shibori.db").stat().st_size
    assert told("--vacuum", *database)[0] == 2
    assert (tmp_path / "shibori.db").stat().st_size < before
    own_server.start()
    assert [own_server.client.curve("one", number).removed for number in range(3)] == [False, True, True]
    assert own_server.client.trial("one", 1).value == 0.5


def test_wrong_use_of_prune_says_what_would_be_right(own_server: Server) -> None:
    both = prune("--vacuum", "--server", own_server.url)
    assert (both.returncode, "no server" in both.stderr) == (2, True)
    nobody = prune("--study", "nobody", "--server", own_server.url)
    assert (nobody.returncode, "There is no study" in nobody.stderr) == (1, True)
