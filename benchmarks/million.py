"""What answers cost at a million trials in one study beside ten thousand: `python -m benchmarks.million` prints it.

The database is filled by statements that make the rows themselves, as for the tests of the plans. A server on it is
asked by this process over one connection, and by nobody else meanwhile.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, TypeAlias

from benchmarks.caller import API, Caller, milliseconds
from benchmarks.service import show, wait_for
from client import Client
from service.storage import migrations
from shibori.demo.processes import free_port, running
from tests.integration.filling import BIG, Size, fill

SIZE = Size(trials=1_000_000, studies=10_000)
CALLS, WARM, WORKED = 300, 20, 200
STUDY = f"{API}/studies/{BIG}"
READINGS = {
    "study": STUDY,
    "best 5": f"{STUDY}/best?n=5",
    "best 5 of a round": f"{STUDY}/best?n=5&round=1",
    "50 trials by number": f"{STUDY}/trials?limit=50",
    "50 trials by value": f"{STUDY}/trials?limit=50&sort=value",
    "50 trials by value, best first": f"{STUDY}/trials?limit=50&sort=-value",
    "50 completed trials of a round": f"{STUDY}/trials?limit=50&sort=-value&status=completed&round=1",
    "one trial": f"{STUDY}/trials/700000",
    "100 studies": f"{API}/studies",
    "workers": f"{API}/workers",
}
FURTHER = ("50 trials by number", "50 trials by value", "50 trials by value, best first")
PAGES_ON = 20
Call: TypeAlias = Callable[[], Any]


class Asking:
    """One connection to the server, for whoever has nothing else to do meanwhile."""

    def __init__(self, port: int) -> None:
        self._loop = asyncio.new_event_loop()
        self._caller = self._loop.run_until_complete(Caller(port).connect())

    def get(self, path: str) -> bytes:
        return self._loop.run_until_complete(self._caller.ask("GET", path))

    def post(self, path: str, body: dict[str, Any]) -> bytes:
        return self._loop.run_until_complete(self._caller.ask("POST", f"{API}{path}", body))


def readings(asking: Asking) -> None:
    for name, path in READINGS.items():
        told(name, timed(lambda path=path: asking.get(path), CALLS))  # type: ignore[misc]
    for name in FURTHER:
        path = further(asking, READINGS[name])
        told(f"{name}, {PAGES_ON} pages on", timed(lambda path=path: asking.get(path), CALLS))  # type: ignore[misc]


def further(asking: Asking, path: str) -> str:
    """The same page, some pages on."""
    following = path
    for _ in range(PAGES_ON):
        cursor = json.loads(asking.get(following))["next_cursor"]
        following = f"{path}&cursor={cursor}"
    return following


def work(asking: Asking) -> None:
    """Trials one after the other: a claim, a report of five epochs, a completion; then completions that claim."""
    took: dict[str, list[float]] = {"claim": [], "report": [], "complete": [], "complete and claim": []}
    epochs = [{"epoch": number, "score": number / 10} for number in range(1, 6)]
    for _ in range(WORKED):
        held = clocked(took["claim"], lambda: claim(asking, 1))[0]
        path, lease = f"/trials/{held['id']}", {"lease": held["lease"]["token"]}
        clocked(took["report"], lambda p=path, s=lease: asking.post(f"{p}/report", s | {"epochs": epochs}))
        clocked(took["complete"], lambda p=path, s=lease: asking.post(f"{p}/complete", s | {"value": 0.5}))
    held = claim(asking, 1)[0]
    for _ in range(WORKED):
        said = {"lease": held["lease"]["token"], "value": 0.5, "claim_next": 1}
        path = f"/trials/{held['id']}/complete"
        answer = clocked(took["complete and claim"], lambda p=path, s=said: asking.post(p, s))
        held = json.loads(answer)["claimed"]["trials"][0]
    for name, seconds in took.items():
        told(name, seconds)


def claim(asking: Asking, count: int, objective: str = "bowl") -> Any:
    asked = {"worker": "bench", "objectives": [objective], "count": count}
    return json.loads(asking.post("/claims", asked))["trials"]


def timed(call: Call, times: int) -> list[float]:
    seconds: list[float] = []
    for _ in range(WARM):
        call()
    for _ in range(times):
        clocked(seconds, call)
    return seconds


def clocked(seconds: list[float], call: Call) -> Any:
    start = perf_counter()
    result = call()
    seconds.append(perf_counter() - start)
    return result


def told(name: str, seconds: Sequence[float]) -> None:
    show(f"{name}: median, p99", f"{milliseconds(seconds, 0.5):.1f}, {milliseconds(seconds, 0.99):.1f} ms")


def filled(folder: Path) -> str:
    """The address of a database with many rows."""
    url = f"sqlite:///{folder / 'million.db'}"
    migrations.upgrade(url)
    engine, start = migrations.migration_engine(url), perf_counter()
    fill(engine, SIZE)
    engine.dispose()
    show(f"{SIZE.trials:,} trials and {SIZE.studies:,} studies filled in", f"{perf_counter() - start:.0f} s")
    return url


def measure(url: str, folder: Path) -> None:
    port = free_port()
    arguments = ["serve", "--port", str(port), "--database", url]
    with running("server", arguments, folder / "server.log") as server, Client(f"http://127.0.0.1:{port}") as client:
        wait_for(client.ready, server.check)
        asking = Asking(port)
        readings(asking)
        work(asking)
        told("a claim when no study has anything", timed(lambda: claim(asking, 1, "other"), CALLS))


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measure(filled(folder), folder)


if __name__ == "__main__":
    sys.exit(main())
