"""A server that is asked to end, while workers work and wait; and clients that hang up while they wait."""

import json
import os
import re
import signal
import socket
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, RemoteDisconnected
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from e2e_processes import PATIENCE_SECONDS, Server, eventually

from service.protocol import ClaimRequest

Json = dict[str, Any]
WORKERS, WAITING = 6, 4


@dataclass
class Caller:
    """A client that tells an answer that was cut off from one that never began."""

    port: int
    completed: dict[int, float] = field(default_factory=dict)
    refused: list[Json] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)

    def ask(self, path: str, body: Json) -> tuple[int, Json]:
        content = json.dumps(body)
        self._connection.request("POST", f"/api/v1{path}", content, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read())

    def work_until_it_ends(self, number: int) -> None:
        """Claim and complete; an answer that has begun and is cut off is an error that fails the test."""
        # It may be closed between two answers, or before the first byte of one.
        with closing(self._connection), suppress(ConnectionError, RemoteDisconnected):
            while self._one(number):
                pass

    def _one(self, number: int) -> bool:
        status, said = self.ask("/claims", {"worker": f"w{number}", "objectives": ["scripted"], "count": 2})
        if status != 200:
            self.refused.append(said)
            return False
        for trial in said["trials"]:
            value = trial["number"] / 7
            status, _ = self.ask(f"/trials/{trial['id']}/complete", {"lease": trial["lease"]["token"], "value": value})
            assert status == 200
            self.completed[trial["number"]] = value
        return True

    def wait_for_work(self, number: int) -> list[Json]:
        wanted = {"worker": f"idle{number}", "objectives": ["nothing"], "wait_seconds": 30}
        with closing(self._connection):
            status, said = self.ask("/claims", wanted)
        assert status == 200, said
        trials: list[Json] = said["trials"]
        return trials


def test_a_server_that_is_asked_to_end_answers_what_it_has_begun_and_loses_nothing(own_server: Server) -> None:
    study = own_server.submit("ended", 100_000)
    callers = [Caller(own_server.port) for _ in range(WORKERS)]
    idle = [Caller(own_server.port) for _ in range(WAITING)]
    with ThreadPoolExecutor(WORKERS + WAITING) as pool:
        waits = [pool.submit(caller.wait_for_work, number) for number, caller in enumerate(idle)]
        works = [pool.submit(caller.work_until_it_ends, number) for number, caller in enumerate(callers)]
        eventually(lambda: sum(len(caller.completed) for caller in callers) > 30, "some results")
        eventually(lambda: waiting_claims(own_server) == WAITING, "claims that wait")
        code = own_server.end()
        assert [wait.result() for wait in waits] == [[]] * WAITING
        for work in works:
            work.result()
    assert code == 0
    assert all(said["type"] == "/problems/shutting-down" for caller in callers for said in caller.refused)
    own_server.start()
    recorded = {trial.number: trial.value for trial in own_server.client.trials(study.id, status="completed")}
    acknowledged = {number: value for caller in callers for number, value in caller.completed.items()}
    assert len(acknowledged) > 30
    assert acknowledged.items() <= recorded.items()


@pytest.fixture
def unfinished(own_server: Server) -> Iterator[socket.socket]:
    """A request that the server waits for the rest of."""
    with socket.create_connection(("127.0.0.1", own_server.port)) as connection:
        connection.sendall(b"POST /api/v1/claims HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        yield connection


def test_a_second_signal_ends_it_at_once(own_server: Server, unfinished: socket.socket) -> None:
    assert own_server.client.ready()
    os.kill(own_server.pid, signal.SIGTERM)
    eventually(lambda: any("Shutting down" in line for line in own_server.said), "the end to begin")
    os.kill(own_server.pid, signal.SIGTERM)
    assert own_server.ended() == 128 + signal.SIGTERM


def test_a_signal_that_comes_while_the_server_starts_is_not_lost(tmp_path: Path) -> None:
    server = Server(tmp_path)
    file = tmp_path / "shibori.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        server.launch()
        eventually(file.with_name("shibori.db.lock").exists, "a server that waits for its database")
        os.kill(server.pid, signal.SIGTERM)
        assert server.ended() == -signal.SIGTERM


def test_work_is_not_given_to_a_client_that_has_hung_up(server: Server) -> None:
    wanted = {"worker": "gone", "objectives": ["scripted"], "wait_seconds": 30}
    body = json.dumps(wanted).encode()
    head = f"POST /api/v1/claims HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    before = waiting_claims(server)
    with socket.create_connection(("127.0.0.1", server.port)) as gone:
        gone.sendall(head.encode() + b"\r\n\r\n" + body)
        eventually(lambda: waiting_claims(server) == before + 1, "the claim that waits")
    given: list[Any] = []
    request = ClaimRequest(worker="there", objectives=["scripted"], wait_seconds=30)
    thread = threading.Thread(target=lambda: given.append(server.client.claim(request)))
    thread.start()
    eventually(lambda: waiting_claims(server) == before + 2, "the claim behind it")
    study = server.submit("hung-up", 1, lease_seconds=600)
    thread.join(PATIENCE_SECONDS)
    assert [trial.study for trial in given[0].trials] == [study.id]


def waiting_claims(server: Server) -> int:
    with urlopen(f"{server.url}/metrics") as page:
        return int(float(re.findall(rb"^shibori_claims_waiting (.*)$", page.read(), re.MULTILINE)[0]))
