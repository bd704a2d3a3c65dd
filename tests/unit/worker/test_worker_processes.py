"""What a worker process holds, how its end is told, and how light its start is."""

import subprocess
import sys
import tempfile
import threading
from typing import Any

import pytest
from worker_fakes import FakeServer, refusal

from client import LeaseLost, Unreachable
from service.protocol import Claimed, ClaimedTrial, ClaimRequest
from worker.claims import Claims, Idleness
from worker.crashes import bury
from worker.holding import Holding, Record, read
from worker.shutdown import Shutdown
from worker.stopping import ShuttingDown


def test_the_parent_reads_what_the_process_wrote_last() -> None:
    with tempfile.TemporaryFile() as file:
        assert read(file.fileno()) == Record()
        holding = Holding(file.fileno())
        holding.take(7, "token")
        holding.runs_group(99)
        assert read(file.fileno()) == Record(7, "token", 99)
        holding.take(8, "next")
        assert read(file.fileno()) == Record(8, "next", 99)
        holding.tell()
        assert read(file.fileno()) == Record(8, "next", 99, telling=True)
        holding.drop()
        assert read(file.fileno()) == Record()


def test_what_a_process_leaves_with_is_its_last_word() -> None:
    with tempfile.TemporaryFile() as file:
        holding = Holding(file.fileno())
        holding.take(7, "token")
        assert holding.leave(0) == Record(7, "token")
        holding.take(8, "next")
        assert holding.leave(5) == Record(left=0)
        assert read(file.fileno()) == Record(left=0)


def test_a_crash_is_told_as_an_error_that_may_be_tried_again(server: FakeServer) -> None:
    bury(server, Record(7, "token"), -11)  # type: ignore[arg-type]
    ((name, told),) = server.calls
    assert (name, told["reason"], told["retryable"]) == ("fail", "error", True)
    assert "signal 11" in told["message"]


def test_a_process_that_held_nothing_is_buried_in_silence(server: FakeServer) -> None:
    bury(server, Record(), 1)  # type: ignore[arg-type]
    assert server.calls == []


def test_a_process_that_died_while_it_told_the_end_of_its_trial_is_not_said_to_have_failed(server: FakeServer) -> None:
    bury(server, Record(7, "token", telling=True), -9)  # type: ignore[arg-type]
    assert server.calls == []


@pytest.mark.parametrize("error", [refusal(409, "lease-lost"), Unreachable("http://server", "refused")])
def test_a_crash_that_cannot_be_told_is_left_to_the_lease(server: FakeServer, error: Exception) -> None:
    server.errors = {"fail": [error]}
    bury(server, Record(7, "token"), 1)  # type: ignore[arg-type]


class Claimable:
    """A server whose answer to a claim is on its way when the process is asked to end."""

    def __init__(self, shutdown: Shutdown, trial: ClaimedTrial) -> None:
        self.shutdown, self.trial = shutdown, trial
        self.parting = threading.Lock()
        self.asked: list[ClaimRequest] = []
        self.released: list[int] = []

    def claim(self, request: ClaimRequest) -> Claimed:
        self.asked.append(request)
        if len(self.asked) == 1:
            self.shutdown.on_signal(15, None)
        return Claimed(trials=[self.trial])

    def release(self, trial: int, lease: str) -> None:
        assert self.parting.locked()
        self.released.append(trial)


def claims(server: Any, shutdown: Shutdown) -> Claims:
    return Claims(server, server, "worker", ["f"], None, shutdown, server.parting)


def test_a_trial_claimed_while_the_process_ends_is_given_back(claimed: Any) -> None:
    shutdown = Shutdown()
    server = Claimable(shutdown, claimed())
    assert claims(server, shutdown).next(20) == []
    assert server.asked[0].request_id == server.asked[1].request_id
    assert set(server.asked[0].purposes) == {"search", "confirmation", "final_test"}
    assert server.asked[1].wait_seconds == 0
    assert server.released == [7]


def test_a_server_that_is_gone_at_the_end_has_nothing_to_take_back(claimed: Any) -> None:
    shutdown = Shutdown()
    server = Claimable(shutdown, claimed())
    server.release = lambda *_: (_ for _ in ()).throw(LeaseLost(refusal(409, "lease-lost").problem))  # type: ignore
    assert claims(server, shutdown).next(20) == []


def test_a_signal_while_a_trial_runs_raises_nothing() -> None:
    shutdown = Shutdown()
    shutdown.on_signal(15, None)
    assert shutdown.is_requested()


def test_nothing_is_awaited_once_the_end_was_asked_for() -> None:
    shutdown = Shutdown()
    shutdown.on_signal(15, None)
    with pytest.raises(ShuttingDown), shutdown.interrupts():
        pytest.fail("the claim was sent")


def test_a_wait_is_never_longer_than_the_server_allows_nor_negative(claimed: Any) -> None:
    shutdown = Shutdown()
    server = Claimable(Shutdown(), claimed())
    for wait_seconds in (float("inf"), -1.0):
        claims(server, shutdown).next(wait_seconds)
    assert [request.wait_seconds for request in server.asked] == [30, 0]


class Pausing:
    """A server that gives this worker nothing, and says why or does not."""

    def __init__(self, *reasons: str | None) -> None:
        self.reasons, self.parting = list(reasons), threading.Lock()

    def claim(self, _: ClaimRequest) -> Claimed:
        return Claimed(trials=[], paused=self.reasons.pop(0))


def test_a_worker_that_is_paused_says_so_once_each_time(caplog: pytest.LogCaptureFixture) -> None:
    asking = claims(Pausing("it failed", "it failed", None, "it failed"), Shutdown())
    for said in (1, 1, 1, 2):
        assert asking.next(0) == []
        assert caplog.text.count("this worker is paused: it failed") == said


def test_idleness_counts_from_the_last_trial() -> None:
    now = [0.0]
    idle = Idleness(5.0, clock=lambda: now[0])
    idle.begin()
    now[0] = 4.0
    assert idle.left_seconds == 1.0
    idle.begin()
    assert idle.left_seconds == 5.0
    assert Idleness(None).left_seconds == float("inf")


def test_a_worker_process_loads_nothing_that_it_does_not_need() -> None:
    heavy = ["matplotlib", "sqlalchemy", "fastapi", "uvicorn", "scipy", "skopt", "sklearn", "click", "tqdm", "alembic"]
    code = f"import sys, worker.child; print(sorted(set({heavy}) & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
