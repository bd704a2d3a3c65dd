"""What a server acknowledges is on the disk before, and a disk that fails or is full takes nothing of it away."""

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import urllib3
from e2e_load import OBJECTIVE, Load, assert_all_is_there, submit
from e2e_processes import Server, eventually
from e2e_small_disk import LimitedFiles, SmallDisk, small_disk_in
from e2e_strace import answered_too_soon, calls_in, marks, require_strace, strace

from client import Client
from service.protocol import ClaimRequest, Epoch

WATCHED = "trace=recvfrom,read,sendto,sendmsg,write,writev,pwrite64,fdatasync,fsync"


def marked_mutations(server: Server) -> list[str]:
    """Submits studies, claims and completes, from several threads at once; the marks that are in the requests."""
    given, lock = marks(), threading.Lock()

    def mark() -> str:
        with lock:
            return next(given)

    def mutate(_: int) -> list[str]:
        names = [mark(), mark()]
        with Client(server.url) as client:
            study = submit(server, names[0])
            wanted = ClaimRequest(worker=names[1], objectives=[OBJECTIVE], count=1, study=study)
            (trial,) = client.claim(wanted).trials
            names.append(mark())
            client.complete(trial.id, trial.lease.token, 0.5, epochs=[Epoch.model_validate({"epoch": 1, names[2]: 1})])
        return names

    with ThreadPoolExecutor(6) as threads:
        return [name for names in threads.map(mutate, range(24)) for name in names]


def traced_mutations(server: Server, trace: Path) -> list[str]:
    """The marks of those mutations that were acknowledged before they were on the disk."""
    with strace(server.pid, trace, "-s", "4400", "-e", WATCHED):
        sent = marked_mutations(server)
    calls = calls_in(trace)
    assert len(sent) == 72
    flushes = [call for call in calls if call.name in ("fdatasync", "fsync") and "-wal>" in call.text]
    assert len(flushes) < len(sent), "units that wait share a flush, or this shows nothing of that"
    return answered_too_soon(calls, sent)


def test_no_mutation_is_acknowledged_before_it_is_on_the_disk(own_server: Server, tmp_path: Path) -> None:
    require_strace()
    assert traced_mutations(own_server, tmp_path / "trace") == []


@pytest.mark.slow
def test_a_server_that_does_not_wait_for_the_disk_would_be_noticed(tmp_path: Path) -> None:
    require_strace()
    with Server(tmp_path, launcher=[sys.executable, "-m", "tests.e2e.lowered_server"]) as lowered:
        assert len(traced_mutations(lowered, tmp_path / "trace")) > 36


def ask_once(server: Server, method: str, path: str) -> urllib3.BaseHTTPResponse:
    return urllib3.request(method, f"{server.url}{path}", retries=False)


def refused(server: Server, study: str) -> urllib3.BaseHTTPResponse | None:
    """The answer to a mutation that has nothing to change, if it is refused."""
    answer = ask_once(server, "POST", f"/api/v1/studies/{study}/resume")
    return answer if answer.status >= 500 else None


def assert_it_says_what_is_wrong(server: Server, study: str) -> None:
    """Mutations have a 503 that says when to come again, and reading goes on."""
    answer = eventually(lambda: refused(server, study), "a refusal")
    assert answer is not None
    assert (answer.status, answer.json()["type"]) == (503, "/problems/storage-unavailable")
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0
    eventually(lambda: ask_once(server, "GET", "/readyz").status == 503, "a server that is not ready")
    assert ask_once(server, "GET", f"/api/v1/studies/{study}").json()["status"] == "running"


def times_said(server: Server, what: str) -> int:
    return sum(what in line for line in server.said)


def assert_the_log_is_short(server: Server) -> None:
    assert times_said(server, "Traceback") == 0
    assert 1 <= times_said(server, "the database cannot be written") <= 5
    assert times_said(server, "the database can be written again") >= 1


def assert_all_survives(server: Server, study: str, load: Load) -> None:
    """As it stands, and after the server was killed and has read its log again."""
    assert_all_is_there(server.database, study, load.acknowledged)
    server.kill()
    server.start()
    assert_all_is_there(server.database, study, load.acknowledged)


ALWAYS = [
    pytest.param("inject=fdatasync,fsync:error=EIO", id="the flush fails"),
    pytest.param("inject=pwrite64:error=EIO", id="writing fails", marks=pytest.mark.slow),
    pytest.param("inject=pwrite64:error=ENOSPC", id="the disk is full", marks=pytest.mark.slow),
]
NOW_AND_THEN = {
    "the flush fails": "inject=fdatasync,fsync:error=EIO:when=3+4",
    "writing fails": "inject=pwrite64:error=EIO:when=20+301",
    "the disk is full": "inject=pwrite64:error=ENOSPC:when=20+301",
}


@pytest.mark.parametrize("fault", ALWAYS)
def test_a_disk_that_fails_for_a_while_stops_nothing_for_good(fault: str, own_server: Server, tmp_path: Path) -> None:
    require_strace()
    study = submit(own_server)
    with Load(own_server, study) as load:
        load.goes_on()
        with strace(own_server.pid, tmp_path / "trace", "-e", "trace=fdatasync,fsync,pwrite64", "-e", fault):
            assert_it_says_what_is_wrong(own_server, study)
        load.goes_on(50)
    assert_the_log_is_short(own_server)
    assert_all_survives(own_server, study, load)


@pytest.mark.slow
@pytest.mark.parametrize("fault", NOW_AND_THEN.values(), ids=NOW_AND_THEN)
def test_a_disk_that_fails_now_and_then_loses_nothing(fault: str, own_server: Server, tmp_path: Path) -> None:
    require_strace()
    study = submit(own_server)
    with Load(own_server, study) as load:
        load.goes_on()
        with strace(own_server.pid, tmp_path / "trace", "-e", "trace=fdatasync,fsync,pwrite64", "-e", fault):
            load.goes_on(40)
    assert "(INJECTED)" in (tmp_path / "trace").read_text()
    assert_all_survives(own_server, study, load)


@pytest.fixture(params=["no room", pytest.param("no growth", marks=pytest.mark.slow)])
def small_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallDisk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if request.param == "no growth":
        yield LimitedFiles(folder)
        return
    with small_disk_in(folder) as disk:
        yield disk


def test_a_full_disk_stops_nothing_for_good(tmp_path: Path, small_disk: SmallDisk) -> None:
    server = Server(tmp_path)
    server.database = f"sqlite:///{small_disk.folder / 'shibori.db'}"
    with server:
        study = submit(server)
        with Load(server, study) as load:
            load.goes_on()
            # The log may begin anew in its old place and so take some more, until the database has to grow.
            eventually(lambda: small_disk.fill(server) or times_said(server, small_disk.trouble), "a full disk")
            assert ask_once(server, "GET", f"/api/v1/studies/{study}").status == 200
            small_disk.make_room(server)
            load.goes_on(50)
        assert_the_log_is_short(server)
        assert_all_survives(server, study, load)
