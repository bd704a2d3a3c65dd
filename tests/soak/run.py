"""Lets workers and servers die and answers get lost for some minutes, and then looks whether anything is missing."""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from client import Client, Retry
from tests.e2e.e2e_processes import free_port
from tests.integration.cluster import Cluster, binaries
from tests.soak import processes, report
from tests.soak.misfortune import LEASE_SECONDS, Misfortune
from tests.soak.processes import Process

PARENTS, CHILDREN = 4, 4
STUDIES_AT_ONCE = 6
MEAN_PAUSE_SECONDS = 1.5
CALM_SECONDS = 300.0
PATIENCE = Retry(total_seconds=120)
KINDS: tuple[dict[str, Any], ...] = (
    {"budget": {"trials": 300}},
    {"budget": {"trials": 120}, "pruning": {"policy": "threshold", "every": 1, "settings": {"lower": 0.3}}},
    {"budget": {"trials": 3}, "retry": {"max_attempts": 1}},
    {"budget": {"trials": 40}, "max_parallel": 3},
    {"budget": {"trials": 80}, "retry": {"max_attempts": 2}, "search": {"algorithm": "sobol", "seed": 0}},
    {"budget": {"trials": 1}},
)


@dataclass(frozen=True, slots=True)
class Asked:
    minutes: float
    seed: int
    engine: str
    folder: Path


class Soak:
    """Everything that runs, from the first study to the last."""

    def __init__(self, asked: Asked, database: str, ports: list[int], stack: ExitStack) -> None:
        self._chance, self._names = random.Random(asked.seed), count()
        self.servers = [_run(processes.server(port, database, asked.folder), stack) for port in ports]
        self.client = stack.enter_context(Client(f"http://127.0.0.1:{ports[0]}", retry=PATIENCE))
        self.client.studies()
        port, self.record = free_port(), asked.folder / "record.jsonl"
        self.proxy = _run(processes.proxy(port, ports, self.record, asked.seed, asked.folder), stack)
        crews = (processes.workers(port, CHILDREN, asked.folder, number) for number in range(PARENTS))
        self.workers = [_run(crew, stack) for crew in crews]
        self.misfortune = Misfortune(self.servers, self.workers, self._chance)

    def begin(self) -> None:
        """Wait until the workers are at work."""
        self._feed()
        while not any(study.counts.completed >= PARENTS for study in self.client.studies()):
            time.sleep(0.2)

    def run(self, seconds: float) -> None:
        """Misfortune strikes, in each of its ways at least, while there are always studies to work for."""
        end_at = time.monotonic() + seconds
        while time.monotonic() < end_at or self.misfortune.untried:
            self._feed()
            time.sleep(self._chance.expovariate(1 / MEAN_PAUSE_SECONDS))
            self.misfortune.strike()

    def calm_down(self) -> None:
        """No more misfortune; whether everything comes to its end is for the check to say."""
        self.misfortune.go_on()
        self.proxy.calm()
        end_at = time.monotonic() + CALM_SECONDS
        while any(self.client.studies(status="running")) and time.monotonic() < end_at:
            time.sleep(0.5)

    def end(self) -> list[int]:
        """The exit codes of workers, and then of servers, that were asked to end."""
        return [*processes.end(self.workers), *processes.end(self.servers)]

    def memory_megabytes(self) -> float:
        return processes.memory_megabytes([pid for worker in self.workers for pid in (worker.pid, *worker.children())])

    def _feed(self) -> None:
        running = len(list(self.client.studies(status="running")))
        for number in (next(self._names) for _ in range(STUDIES_AT_ONCE - running)):
            self.client.submit_study(_study(f"soak-{number}", KINDS[number % len(KINDS)]))


def soak(asked: Asked) -> report.Report:
    """Run it all and say what was found."""
    with _database(asked) as (database, ports), ExitStack() as stack:
        running = Soak(asked, database, ports, stack)
        running.begin()
        running.run(asked.minutes * 60)
        memory = running.memory_megabytes()
        running.calm_down()
        exits = running.end()
        return report.made(running.record, database, running.misfortune.happened, memory, exits)


@contextmanager
def _database(asked: Asked) -> Iterator[tuple[str, list[int]]]:
    """An address, and the ports of the servers that share it."""
    if asked.engine == "sqlite":
        yield f"sqlite:///{asked.folder / 'shibori.db'}", [free_port()]
        return
    folder = binaries()
    if folder is None:
        sys.exit("no PostgreSQL server is installed here")
    cluster = Cluster(folder)
    database = cluster.url(cluster.create())
    try:
        yield database, [free_port(), free_port()]
    finally:
        cluster.stop()


def _run(process: Process, stack: ExitStack) -> Process:
    process.start()
    stack.callback(process.kill)
    return process


def _study(name: str, kind: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "objective": {"name": "soaked", "settings": {"epochs": 2}},
        "metric": {"name": "value", "goal": "maximize"},
        "space": {"x": {"type": "float", "low": 0.0, "high": 1.0}},
        "lease_seconds": LEASE_SECONDS,
        "retry": {"max_attempts": 1000},
        **kind,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="shibori-soak-"))
    sys.stdout.write(f"{given.minutes:g} minutes on {given.engine} with the seed {given.seed}, in {folder}\n")
    found = soak(Asked(given.minutes, given.seed, given.engine, folder))
    sys.stdout.write(f"{found}\n")
    sys.exit(not found.is_good)


if __name__ == "__main__":
    main()
