"""How many trials the service carries: `python -m benchmarks.load`, with the extra bench, beside Optuna's storage.

A trial is a claim, one report of five epochs and a completion; once with the claim riding on the completion before it,
as `shibori worker` has it, and once by itself. Clients and server share two cores; every write is durable on both
sides. Optuna's clients are threads of two processes that ask for a trial, report five values and tell the result, with
its random sampler, on a database of its own.
"""

import os

os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from threading import Thread
from time import monotonic

from benchmarks.service import SPACE, wait_for
from benchmarks.traffic import OBJECTIVE, Plan, Tally, drive
from client import Client
from service.domain.status import TrialStatus
from service.protocol import GivenTrial
from shibori.demo.processes import free_port, running
from tests.integration.cluster import Cluster, binaries

CLIENTS, FINISHED, MOST_SEEN = 32, 100_000, 1_000
DURABLE = "-c shared_buffers=128MB -c max_connections=200"


@contextmanager
def served(database: str, folder: Path, processes: int = 1) -> Iterator[Client]:
    """A server, or several that share a port, on a database."""
    port, log = free_port(), folder / "server.log"
    several = ["--workers", str(processes)] if processes > 1 else []
    arguments = ["serve", "--port", str(port), "--database", database, *several]
    with running("server", arguments, log) as server, Client(f"http://127.0.0.1:{port}") as client:
        wait_for(client.ready, server.check)
        yield client
        told = log.read_text(errors="replace")
        show("'database is locked' in the server's log", str(told.count("database is locked")))


def submit(client: Client, name: str) -> str:
    spec = {
        "name": name,
        "objective": {"name": OBJECTIVE},
        "metric": {"name": "validation_accuracy", "goal": "maximize"},
        "space": SPACE,
        "search": {"algorithm": "random", "seed": 0},
        "budget": {"trials": 10_000_000},
    }
    return client.submit_study(spec).name


def fill(client: Client, study: str, finished: int) -> None:
    """Give a study results, by import."""
    for start in range(0, finished, MOST_SEEN):
        numbers = range(start, start + MOST_SEEN)
        client.enqueue(
            study,
            [
                GivenTrial(
                    params={"lr": 1e-6 * (1 + n % 9_000), "weight_decay": 1e-6}, value=n % 997 / 997, samples=100
                )
                for n in numbers
            ],
        )


def port_of(client: Client) -> int:
    return int(client.url.rsplit(":", 1)[1])


def told(name: str, tally: Tally) -> None:
    show(f"{name}: trials a second", f"{tally.per_second:.0f}")
    for call, seconds in tally.seconds.items():
        if seconds:
            middle, late = tally.quantile(call, 0.5), tally.quantile(call, 0.99)
            show(f"  {call}: median, 99th percentile", f"{middle:.1f}, {late:.1f} ms")


def on_sqlite(folder: Path, seconds: float, pairs: int) -> tuple[Tally, Tally]:
    """The figures on SQLite, with an empty study beside one that has many results, in turns."""
    with served(f"sqlite:///{folder / 'load.db'}", folder) as client:
        port = [port_of(client)]
        small, large = submit(client, "small"), submit(client, "large")
        fill(client, large, FINISHED)
        drive(Plan(port, small, CLIENTS, 2))
        both: dict[str, list[Tally]] = {small: [], large: []}
        for turn in range(pairs):
            fresh = submit(client, f"small-{turn}")
            both[small].append(drive(Plan(port, fresh, CLIENTS, seconds)))
            both[large].append(drive(Plan(port, large, CLIENTS, seconds)))
        whole = Tally()
        for tally in both[small]:
            whole.add(tally)
        whole.elapsed = sum(tally.elapsed for tally in both[small])
        told(f"SQLite, {CLIENTS} clients", whole)
        ratios = [b.per_second / a.per_second for a, b in zip(*both.values(), strict=True)]
        show(f"  with {FINISHED:,} finished trials, times as many", f"{median(ratios):.2f}")
        apart = drive(Plan(port, submit(client, "apart"), CLIENTS, seconds, claim_next=False))
        told(f"SQLite, {CLIENTS} clients that claim by themselves", apart)
        told("SQLite, 1 client", drive(Plan(port, submit(client, "one"), 1, seconds, claim_next=False)))
        return whole, apart


def on_postgresql(cluster: Cluster, folder: Path, seconds: float, trials: int) -> Tally:
    """Two server processes; then so many trials, each of which must be found as it was acknowledged."""
    name = cluster.create()
    with served(cluster.url(name), folder, processes=2) as client:
        port = [port_of(client)]
        tally = drive(Plan(port, submit(client, "load"), CLIENTS, seconds))
        told(f"PostgreSQL, 2 servers, {CLIENTS} clients", tally)
        many = drive(Plan(port, submit(client, "many"), CLIENTS, 3600, most_trials=trials))
        counts, numbers = client.study("many").counts, [0] * 2
        for trial in client.trials("many"):
            right = trial.status is TrialStatus.COMPLETED and trial.value == trial.number % 997 / 997
            numbers[right] += trial.status is not TrialStatus.WAITING
        show(f"  acknowledged of {trials:,}, completed, found right, wrong", f"{many.trials:,}")
        show("", f"{counts.completed:,}, {numbers[1]:,}, {numbers[0]:,}")
        return tally


def optuna_clients(url: str, threads: int, seconds: float) -> int:
    """How many trials one process of clients brings to their end."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    done: list[int] = []
    until = monotonic() + seconds

    def work(seed: int) -> None:
        arguments = {"connect_args": {"timeout": 100}} if url.startswith("sqlite") else {}
        storage = optuna.storages.RDBStorage(url, engine_kwargs=arguments)
        sampler = optuna.samplers.RandomSampler(seed=seed)
        study = optuna.load_study(study_name="load", storage=storage, sampler=sampler)
        while monotonic() < until:
            trial = study.ask()
            for name in SPACE:
                trial.suggest_float(name, SPACE[name]["low"], SPACE[name]["high"], log=True)
            for epoch in range(1, 6):
                trial.report(0.1 * epoch, epoch)
            study.tell(trial, 0.5)
            done.append(1)

    workers = [Thread(target=work, args=(seed,)) for seed in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return len(done)


def by_optuna(name: str, url: str, seconds: float) -> float:
    """Trials a second."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    optuna.create_study(study_name="load", storage=url)
    with get_context("spawn").Pool(2) as pool:
        pool.map(abs, range(2))
        start = monotonic()
        done = sum(pool.starmap(optuna_clients, [(url, CLIENTS // 2, seconds)] * 2, chunksize=1))
        rate = done / (monotonic() - start)
    show(f"{name}, {CLIENTS} clients: trials a second", f"{rate:.1f}")
    return rate


def show(what: str, figure: str) -> None:
    print(f"  {what:<62} {figure:>18}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--trials", type=int, default=100_000, help="how many to count one by one on PostgreSQL")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        both = on_sqlite(folder, options.seconds, options.pairs)
        theirs = by_optuna("Optuna on SQLite", f"sqlite:///{folder / 'optuna.db'}", options.seconds)
        ratios = ", ".join(f"{ours.per_second / theirs:.0f}" for ours in both)
        show("  this service / Optuna on SQLite, both ways", ratios)
        installed = binaries()
        if installed is None:
            print("NOT RUN: no PostgreSQL server is installed here.")
            return
        cluster = Cluster(installed, DURABLE)
        stack.callback(cluster.stop)
        ours = on_postgresql(cluster, folder, options.seconds, options.trials).per_second
        theirs = by_optuna("Optuna on PostgreSQL", cluster.url(cluster.create_empty()), options.seconds)
        show("  this service / Optuna on PostgreSQL", f"{ours / theirs:.0f}")


if __name__ == "__main__":
    sys.exit(main())
