"""500 clients that wait for work: `python -m benchmarks.waiting` times the server's answers while they do.

The clients are plain sockets in a process of their own. A trial comes into being when a budget is raised by one.
"""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

from benchmarks.caller import API, Caller, milliseconds
from client import Client
from shibori.demo.processes import Started, free_port, running

CLIENTS, TRIALS = 500, 100
# Long enough that every client has asked again, and that is when the server has most to do.
WATCHED_SECONDS, BETWEEN_LOOKS_SECONDS = 65.0, 0.02
SETTLING_SECONDS = 5.0
STUDY, OBJECTIVE = "waited-for", "waited-for"
SPEC = {
    "name": STUDY,
    "objective": {"name": OBJECTIVE},
    "space": {"x": {"type": "float", "low": 0.0, "high": 1.0}},
    "budget": {"trials": 1},
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What the waiting clients saw, in seconds."""

    livez: list[float]
    arrivals: list[float]


@dataclass(slots=True)
class Crowd:
    """Clients that wait for work and complete what they get at once."""

    port: int
    given: asyncio.Queue[float] = field(default_factory=asyncio.Queue)

    async def work(self, number: int) -> None:
        caller = await Caller(self.port).connect()
        wanted = {"worker": f"waiting-{number}", "objectives": [OBJECTIVE], "wait_seconds": 30}
        while True:
            for trial in json.loads(await caller.ask("POST", f"{API}/claims", wanted))["trials"]:
                self.given.put_nowait(perf_counter())
                done = {"lease": trial["lease"]["token"], "value": 0.5}
                await caller.ask("POST", f"{API}/trials/{trial['id']}/complete", done)


async def watch(port: int) -> list[float]:
    """How long /livez takes, again and again."""
    caller, took, until = await Caller(port).connect(), [], perf_counter() + WATCHED_SECONDS
    while perf_counter() < until:
        start = perf_counter()
        await caller.ask("GET", "/livez")
        took.append(perf_counter() - start)
        await asyncio.sleep(BETWEEN_LOOKS_SECONDS)
    return took


async def give(port: int, crowd: Crowd) -> list[float]:
    """How long a new trial takes to reach a client, from the request that makes it on."""
    caller, took = await Caller(port).connect(), []
    for trials in range(2, TRIALS + 2):
        start = perf_counter()
        await caller.ask("PATCH", f"{API}/studies/{STUDY}", {"budget": {"trials": trials}})
        took.append(await crowd.given.get() - start)
        await asyncio.sleep(0.1)
    return took


async def wait_and_see(port: int) -> Seen:
    crowd = Crowd(port)
    clients = [asyncio.create_task(crowd.work(number)) for number in range(CLIENTS)]
    await crowd.given.get()
    await asyncio.sleep(SETTLING_SECONDS)
    livez = await watch(port)
    arrivals = await give(port, crowd)
    for client in clients:
        client.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.gather(*clients)
    return Seen(livez, arrivals)


def crowd_of(port: int) -> Seen:
    return asyncio.run(wait_and_see(port))


def memory_megabytes(server: Started) -> float:
    """What the server's process holds in memory, the processes that make suggestions apart."""
    status = Path(f"/proc/{server.popen.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1]) / 1024


def processor_seconds(server: Started) -> float:
    """What the server's process has computed so far."""
    fields = Path(f"/proc/{server.popen.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def waiting_clients(client: Client, port: int, server: Started) -> None:
    client.submit_study(SPEC)
    start, computed = perf_counter(), processor_seconds(server)
    with ProcessPoolExecutor(1, get_context("spawn")) as beside:
        seen = beside.submit(crowd_of, port).result()
    show(f"{CLIENTS} waiting: /livez, p50 and p99 of {len(seen.livez)}", seen.livez)
    show(f"{CLIENTS} waiting: a new trial arrives, p50 and p99 of {TRIALS}", seen.arrivals)
    share = (processor_seconds(server) - computed) / (perf_counter() - start)
    print(f"  {f'{CLIENTS} waiting: processor time of the server, of one core':<56} {share:>7.1%}", flush=True)
    print(f"  {f'{CLIENTS} waiting: memory of the server':<56} {memory_megabytes(server):>7.0f} MB", flush=True)


def show(what: str, seconds: Sequence[float]) -> None:
    print(f"  {what:<56} {milliseconds(seconds, 0.5):>7.1f} {milliseconds(seconds, 0.99):>7.1f} ms", flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        port = free_port()
        arguments = ["serve", "--port", str(port), "--database", f"sqlite:///{name}/bench.db"]
        url = f"http://127.0.0.1:{port}"
        with running("server", arguments, Path(name) / "server.log") as server, Client(url) as client:
            while not client.ready():
                server.check()
            waiting_clients(client, port, server)


if __name__ == "__main__":
    sys.exit(main())
