"""Clients that do as workers do, many in a process, and write down how long each answer took."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from time import monotonic, perf_counter
from typing import Any

from benchmarks.caller import API, Caller, milliseconds

OBJECTIVE = "timed"
EPOCHS = [
    {"epoch": epoch, "train_loss": 0.5, "train_accuracy": 0.5, "validation_accuracy": 0.1 * epoch}
    for epoch in range(1, 6)
]
PROCESSES = 2


@dataclass
class Tally:
    """What some clients did: trials completed, and the seconds of each answer by what was asked."""

    trials: int = 0
    seconds: dict[str, list[float]] = field(default_factory=lambda: {"claim": [], "report": [], "complete": []})
    elapsed: float = 0.0

    def add(self, other: "Tally") -> None:
        self.trials += other.trials
        self.elapsed = max(self.elapsed, other.elapsed)
        for call, seconds in other.seconds.items():
            self.seconds[call] += seconds

    @property
    def per_second(self) -> float:
        return self.trials / self.elapsed

    def quantile(self, call: str, share: float) -> float:
        """In milliseconds."""
        return milliseconds(self.seconds[call], share)


@dataclass(frozen=True)
class Plan:
    """How many clients, for how long or for how many trials, and whether a completion claims the next trial."""

    ports: Sequence[int]
    study: str
    clients: int
    seconds: float
    claim_next: bool = True
    most_trials: int | None = None


def drive(plan: Plan) -> Tally:
    """Let the clients work, in processes of their own, and add up what they did."""
    processes = min(PROCESSES, plan.clients)
    with get_context("spawn").Pool(processes) as pool:
        pool.map(abs, range(processes))
        whole = Tally()
        for tally in pool.starmap(_drive_some, [(plan, part, processes) for part in range(processes)], chunksize=1):
            whole.add(tally)
    return whole


def _drive_some(plan: Plan, part: int, parts: int) -> Tally:
    return asyncio.run(_some(plan, part, parts))


async def _some(plan: Plan, part: int, parts: int) -> Tally:
    tally, start = Tally(), monotonic()
    names = [f"bench-{part}-{index}" for index in range(plan.clients // parts)]
    share = None if plan.most_trials is None else plan.most_trials // parts
    await asyncio.gather(
        *(
            _work(plan, plan.ports[index % len(plan.ports)], name, tally, share, start + plan.seconds)
            for index, name in enumerate(names)
        )
    )
    tally.elapsed = monotonic() - start
    return tally


async def _work(plan: Plan, port: int, name: str, tally: Tally, share: int | None, until: float) -> None:
    caller = await Caller(port).connect()
    trial: Any = None
    asked = 0
    while monotonic() < until and (share is None or tally.trials < share):
        if trial is None:
            asked += 1
            claim = {"worker": name, "objectives": [OBJECTIVE], "study": plan.study, "request_id": f"{until}-{asked}"}
            trials = (await _timed(tally, "claim", caller, "/claims", claim | {"wait_seconds": 1}))["trials"]
            if not trials:
                continue
            trial = trials[0]
        trial = await _run(plan, caller, trial, tally)
    if trial is not None:
        await caller.ask("POST", f"{API}/trials/{trial['id']}/release", {"lease": trial["lease"]["token"]})


async def _run(plan: Plan, caller: Caller, trial: Any, tally: Tally) -> Any:
    """Report and complete a trial; what the completion claimed."""
    path, lease = f"/trials/{trial['id']}", {"lease": trial["lease"]["token"]}
    await _timed(tally, "report", caller, f"{path}/report", lease | {"epochs": EPOCHS})
    result = {"value": trial["number"] % 997 / 997, "samples": 100, "claim_next": int(plan.claim_next)}
    answer = await _timed(tally, "complete", caller, f"{path}/complete", lease | result)
    tally.trials += 1
    claimed = answer["claimed"]["trials"]
    return claimed[0] if claimed else None


async def _timed(tally: Tally, call: str, caller: Caller, path: str, document: object) -> Any:
    start = perf_counter()
    answer = json.loads(await caller.ask("POST", f"{API}{path}", document))
    tally.seconds[call].append(perf_counter() - start)
    return answer
