"""Workers as threads, which complete trials as fast as a server lets them and remember what it has acknowledged."""

import threading
from types import TracebackType
from uuid import uuid4

import sqlalchemy as sa
from e2e_processes import Server, eventually

from client import Client, Retry
from service.protocol import ClaimedTrial, ClaimRequest, Epoch
from service.storage import migrations
from service.storage.examination import examine

OBJECTIVE = "bowl"
LONG = 600.0


class _Ended(Exception):
    """The load is no longer wanted, whether there is an answer or not."""


class Load:
    """Asks again, in the same words, for as long as there is no answer."""

    def __init__(self, server: Server, study: str, threads: int = 8) -> None:
        self._url, self._study = server.url, study
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self.acknowledged: dict[int, float] = {}
        self.failures: list[Exception] = []
        self._threads = [threading.Thread(target=self._run, args=(f"load-{n}",)) for n in range(threads)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()
        assert self.failures == []

    def goes_on(self, more: int = 20) -> None:
        """Returns when so many more completions have been acknowledged."""
        wanted = len(self.acknowledged) + more
        eventually(lambda: len(self.acknowledged) >= wanted or self.failures, "completions")

    def _run(self, worker: str) -> None:
        patient = Retry(total_seconds=LONG, longest_pause_seconds=0.05, sleep=self._pause)
        try:
            with Client(self._url, retry=patient) as client:
                while not self._ending.is_set():
                    self._work(client, worker)
        except _Ended:
            pass
        except Exception as error:  # noqa: BLE001 - whatever it was, the test has to say it
            self.failures.append(error)

    def _pause(self, seconds: float) -> None:
        if self._ending.wait(seconds):
            raise _Ended

    def _work(self, client: Client, worker: str) -> None:
        wanted = ClaimRequest(
            worker=worker, objectives=[OBJECTIVE], count=1, study=self._study, request_id=uuid4().hex, wait_seconds=0.0
        )
        trials = client.claim(wanted).trials
        while trials and not self._ending.is_set():
            trials = self._complete(client, trials[0])

    def _complete(self, client: Client, trial: ClaimedTrial) -> list[ClaimedTrial]:
        value = trial.number / 1e6
        answer = client.complete(trial.id, trial.lease.token, value, epochs=[Epoch(epoch=1)], claim_next=1)
        with self._lock:
            self.acknowledged[trial.number] = value
        return answer.claimed.trials


def submit(server: Server, name: str = "load", **changes: object) -> str:
    """A study with more trials than any test completes; its id."""
    spec = {
        "name": name,
        "objective": {"name": OBJECTIVE},
        "metric": {"name": "value", "goal": "maximize"},
        "space": {"x": {"type": "float", "low": 0.0, "high": 1.0}},
        "search": {"algorithm": "random", "seed": 1},
        "budget": {"trials": 1_000_000},
        "lease_seconds": 60,
    }
    return server.client.submit_study(spec | changes).id


def assert_all_is_there(database: str, study: str, acknowledged: dict[int, float]) -> None:
    """The database is whole, and every completion that was acknowledged is in it, with its value."""
    assert examine(database).faults == []
    with migrations.snapshot(database) as connection:
        rows = connection.execute(
            sa.text("SELECT number, value FROM trials WHERE study_id = :study AND status = 'completed'"),
            {"study": study},
        )
        recorded = {row.number: row.value for row in rows}
    missing = {number for number, value in acknowledged.items() if recorded.get(number) != value}
    assert missing == set()
    assert len(recorded) >= len(acknowledged) > 0
