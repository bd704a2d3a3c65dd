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
from typing import Any
from urllib.parse import urlsplit

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


class Connection:
    """One kept connection, which asks one thing after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def to(cls, url: str) -> "Connection":
        parts = urlsplit(url)
        return cls(*await asyncio.open_connection(parts.hostname, parts.port))

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        self._writer.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        lengths = [line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        return json.loads(await self._reader.readexactly(int(lengths[0].split(b":")[1])))

    def close(self) -> None:
        self._writer.close()


@dataclass(slots=True)
class Crowd:
    """Clients that wait for work and complete what they get at once."""

    url: str
    given: asyncio.Queue[float] = field(default_factory=asyncio.Queue)

    async def work(self, number: int) -> None:
        connection = await Connection.to(self.url)
        wanted = {"worker": f"waiting-{number}", "objectives": [OBJECTIVE], "wait_seconds": 30}
        while True:
            for trial in (await connection.ask("POST", "/api/v1/claims", wanted))["trials"]:
                self.given.put_nowait(perf_counter())
                done = {"lease": trial["lease"]["token"], "value": 0.5}
                await connection.ask("POST", f"/api/v1/trials/{trial['id']}/complete", done)


async def watch(url: str) -> list[float]:
    """How long /livez takes, again and again."""
    connection, took, until = await Connection.to(url), [], perf_counter() + WATCHED_SECONDS
    while perf_counter() < until:
        start = perf_counter()
        await connection.ask("GET", "/livez")
        took.append(perf_counter() - start)
        await asyncio.sleep(BETWEEN_LOOKS_SECONDS)
    return took


async def give(url: str, crowd: Crowd) -> list[float]:
    """How long a new trial takes to reach a client, from the request that makes it on."""
    connection, took = await Connection.to(url), []
    for trials in range(2, TRIALS + 2):
        start = perf_counter()
        await connection.ask("PATCH", f"/api/v1/studies/{STUDY}", {"budget": {"trials": trials}})
        took.append(await crowd.given.get() - start)
        await asyncio.sleep(0.1)
    return took


async def wait_and_see(url: str) -> Seen:
    crowd = Crowd(url)
    clients = [asyncio.create_task(crowd.work(number)) for number in range(CLIENTS)]
    await crowd.given.get()
    await asyncio.sleep(SETTLING_SECONDS)
    livez = await watch(url)
    arrivals = await give(url, crowd)
    for client in clients:
        client.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.gather(*clients)
    return Seen(livez, arrivals)


def crowd_of(url: str) -> Seen:
    return asyncio.run(wait_and_see(url))


def memory_megabytes(server: Started) -> float:
    """What the server's process holds in memory, the processes that make suggestions apart."""
    status = Path(f"/proc/{server.popen.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1]) / 1024


def processor_seconds(server: Started) -> float:
    """What the server's process has computed so far."""
    fields = Path(f"/proc/{server.popen.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def waiting_clients(client: Client, server: Started) -> None:
    client.submit_study(SPEC)
    start, computed = perf_counter(), processor_seconds(server)
    with ProcessPoolExecutor(1, get_context("spawn")) as beside:
        seen = beside.submit(crowd_of, client.url).result()
    show(f"{CLIENTS} waiting: /livez, p50 and p99 of {len(seen.livez)}", *percentiles(seen.livez))
    show(f"{CLIENTS} waiting: a new trial arrives, p50 and p99 of {TRIALS}", *percentiles(seen.arrivals))
    share = (processor_seconds(server) - computed) / (perf_counter() - start)
    print(f"  {f'{CLIENTS} waiting: processor time of the server, of one core':<56} {share:>7.1%}", flush=True)
    print(f"  {f'{CLIENTS} waiting: memory of the server':<56} {memory_megabytes(server):>7.0f} MB", flush=True)


def percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    ordered = sorted(seconds)
    return ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]


def show(what: str, middle: float, high: float) -> None:
    print(f"  {what:<56} {middle * 1000:>7.1f} {high * 1000:>7.1f} ms", flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        port = free_port()
        arguments = ["serve", "--port", str(port), "--database", f"sqlite:///{name}/bench.db"]
        url = f"http://127.0.0.1:{port}"
        with running("server", arguments, Path(name) / "server.log") as server, Client(url) as client:
            while not client.ready():
                server.check()
            waiting_clients(client, server)


if __name__ == "__main__":
    sys.exit(main())
