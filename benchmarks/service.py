"""What the service costs: `python -m benchmarks.service` runs it beside trainers alone, and times its answers.

The search is the reference's: 500 images, 50 epochs. Two trainers alone train the same values with the same seeds, in
two processes that share a list; the service has a server and two worker processes on the same cores.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"

from client import Client
from service.domain.status import StudyStatus
from service.protocol import ClaimRequest, Epoch, GivenTrial, StudyView
from shibori.demo.processes import free_port, running

PAIRS, TRIALS, PROCESSES = 5, 40, 2
SPACE = {
    "lr": {"type": "float", "low": 1e-6, "high": 1e-2, "scale": "log"},
    "weight_decay": {"type": "float", "low": 1e-8, "high": 1e-4, "scale": "log"},
}
CALLS, FINISHED = 200, 10_000
# The service is timed by its own clock, and looked at seldom: a look costs it what an answer costs.
LOOK_SECONDS = 0.25


def train(task: tuple[dict[str, Any], int, int]) -> float:
    """One trial without any service."""
    from trainer.objectives import find

    params, seed, split_seed = task
    objective = find("multi_layer_net")
    assert objective is not None
    settings = objective.Settings.model_validate(params)
    epochs = list(objective.train(settings, seed=seed, split_seed=split_seed))
    return epochs[-1]["validation_accuracy"]


@contextmanager
def served(folder: Path) -> Iterator[Client]:
    """A server on a fresh database."""
    port = free_port()
    arguments = ["serve", "--port", str(port), "--database", f"sqlite:///{folder / 'bench.db'}"]
    with running("server", arguments, folder / "server.log") as server, Client(f"http://127.0.0.1:{port}") as client:
        wait_for(client.ready, server.check)
        yield client


def wait_for(condition: Callable[[], bool], check: Callable[[], None]) -> None:
    while not condition():
        check()
        sleep(LOOK_SECONDS)


def search(client: Client, name: str, trials: int, objective: str = "multi_layer_net") -> StudyView:
    return client.submit_study(
        {
            "name": name,
            "objective": {"name": objective},
            "space": SPACE,
            "search": {"seed": 0},
            "budget": {"trials": trials},
        }
    )


def finished(client: Client, study: str) -> bool:
    return client.study(study).status is StudyStatus.COMPLETED


def whole_system_against_trainers(client: Client, folder: Path) -> None:
    ratios, alone_seconds, served_seconds = [], [], []
    workers = ["worker", "--server", client.url, "--processes", str(PROCESSES)]
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as alone:
        search(client, "warm", 4)
        with running("workers", workers, folder / "worker.log") as running_workers:
            wait_for(lambda: finished(client, "warm"), running_workers.check)
            for pair in range(PAIRS):
                name = search(client, f"pair-{pair}", TRIALS).name
                wait_for(lambda name=name: finished(client, name), running_workers.check)
                done = list(client.trials(name))
                ended = client.study(name)
                assert ended.started_at is not None
                assert ended.finished_at is not None
                served_seconds.append((ended.finished_at - ended.started_at).total_seconds())
                tasks = [(dict(trial.params), trial.seed, 0) for trial in done]
                if pair == 0:
                    list(alone.map(train, tasks[:4]))
                start = perf_counter()
                values = list(alone.map(train, tasks))
                alone_seconds.append(perf_counter() - start)
                assert values == [trial.value for trial in done], "both sides must train the same nets"
                ratios.append(served_seconds[-1] / alone_seconds[-1])
    show(f"{TRIALS} trials, server and {PROCESSES} workers", f"{median(served_seconds):.2f} s")
    show(f"the same by {PROCESSES} trainers alone", f"{median(alone_seconds):.2f} s")
    show("whole system / trainers alone, median of pairs", f"{median(ratios):.3f}")


def answers_while_workers_run(client: Client, folder: Path) -> None:
    search(client, "busy", 10_000)
    search(client, "timed", CALLS, objective="timed")
    epochs = [Epoch(epoch=1, validation_accuracy=0.5), Epoch(epoch=2, validation_accuracy=0.6)]
    took: dict[str, list[float]] = {"claim": [], "report": [], "complete": []}
    workers = ["worker", "--server", client.url, "--processes", str(PROCESSES)]
    with running("workers", workers, folder / "worker.log") as running_workers:
        wait_for(lambda: client.study("busy").counts.running == PROCESSES, running_workers.check)
        for _ in range(CALLS):
            request = ClaimRequest(worker="bench", objectives=["timed"])
            claimed = timed(took["claim"], lambda request=request: client.claim(request)).trials[0]
            token = claimed.lease.token
            timed(took["report"], lambda c=claimed, t=token: client.report(c.id, t, epochs))
            timed(took["complete"], lambda c=claimed, t=token: client.complete(c.id, t, 0.5))
    client.stop("busy")
    for call, seconds in took.items():
        show(f"{call}, two workers running, median of {CALLS}", f"{median(seconds) * 1000:.1f} ms")


def best_of_many(client: Client) -> None:
    search(client, "many", 1)
    for start in range(0, FINISHED, 1000):
        given = [
            GivenTrial(params={"lr": 1e-6 * (1 + n), "weight_decay": 1e-6}, value=n % 997 / 997, samples=100)
            for n in range(start, start + 1000)
        ]
        client.enqueue("many", given)
    seconds: list[float] = []
    for _ in range(CALLS):
        timed(seconds, lambda: client.best("many", 5))
    show(f"best 5 of {FINISHED:,} trials, median of {CALLS}", f"{median(seconds) * 1000:.1f} ms")


def timed(seconds: list[float], call: Callable[[], Any]) -> Any:
    start = perf_counter()
    result = call()
    seconds.append(perf_counter() - start)
    return result


def show(what: str, figure: str) -> None:
    print(f"  {what:<52} {figure:>10}", flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as name, served(Path(name)) as client:
        whole_system_against_trainers(client, Path(name))
        answers_while_workers_run(client, Path(name))
        best_of_many(client)


if __name__ == "__main__":
    sys.exit(main())
