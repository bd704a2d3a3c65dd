"""The whole story on the reference's task, by a real server and two workers: `python -m benchmarks.story`.

How long it takes until a trial reaches .83 validation accuracy, by plain random search in the box as it was once given,
and by a Bayesian search that may widen that box by the evidence and stops trials early; and what the pick of each is
worth on the test images, where the classic procedure takes the best value of 150 trials and this one the best of five
that were confirmed. Times are the server's own, from the first claim on.
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.service import served, wait_for
from client import Client
from service.domain.status import StudyStatus
from service.protocol import RoundRequest, StudyPatch, StudyView
from shibori.demo.processes import running
from shibori.demo.search import study_of

TARGET, MOST, PROCESSES = 0.83, 300, 2
CLASSIC_FIRST, CLASSIC_MORE, OURS, IDLE_TRIALS = 100, 50, 100, 100
ENDED = (StudyStatus.COMPLETED, StudyStatus.STOPPED)
WIDER: dict[str, Any] = {
    "lr": {"type": "float", "low": 1e-6, "high": 1e-2, "scale": "log", "limit": {"low": 1e-8, "high": 10}},
    "weight_decay": {"type": "float", "low": 1e-8, "high": 1e-4, "scale": "log", "limit": {"low": 1e-10, "high": 1}},
}
SEARCH_ON: dict[str, Any] = {
    "space": WIDER,
    "pruning": {"policy": "asha"},
    "narrowing": {"policy": "evidence", "every": 20},
}


class Bench:
    def __init__(self, client: Client, folder: Path) -> None:
        self.client, self.folder = client, folder

    def submit(self, name: str, seed: int, trials: int, algorithm: str, **changes: Any) -> StudyView:
        spec = study_of(name, trials).model_dump(mode="json", exclude_unset=True)
        return self.client.submit_study(spec | {"search": {"algorithm": algorithm, "seed": seed}} | changes)

    @contextmanager
    def workers(self, study: str) -> Iterator[None]:
        arguments = ["worker", "--server", self.client.url, "--processes", str(PROCESSES), "--study", study]
        with running("workers", arguments, self.folder / "worker.log") as started:
            self._check = started.check
            yield

    def ended(self, study: str) -> StudyView:
        wait_for(lambda: self.client.study(study).status in ENDED, self._check)
        return self.client.study(study)

    def seconds_to_target(self, name: str, seed: int, algorithm: str, **changes: Any) -> tuple[float, bool]:
        """How long a search took until its first trial of that value, or until it was given up; and if it was met."""
        budget = {"trials": MOST, "target": TARGET}
        self.submit(name, seed, MOST, algorithm, budget=budget, **changes)
        with self.workers(name):
            study = self.ended(name)
        met = [trial.finished_at for trial in self.client.trials(name, status="completed") if _reached(trial.value)]
        end = min((at for at in met if at is not None), default=study.finished_at)
        assert study.started_at is not None
        assert end is not None
        return (end - study.started_at).total_seconds(), bool(met)

    def classic_pick(self, name: str, seed: int) -> float:
        self.submit(name, seed, CLASSIC_FIRST, "random")
        with self.workers(name):
            self.ended(name)
            self.client.open_round(name, RoundRequest(policy="leaders"))
            more = {"budget": {"trials": CLASSIC_FIRST + CLASSIC_MORE}}
            self.client.patch(name, StudyPatch.model_validate(more))
            self.ended(name)
            return self.tested(name, self.client.best(name, 1).items[0].number)

    def confirmed_pick(self, name: str, seed: int) -> float:
        self.submit(name, seed, OURS, "bayesian", **SEARCH_ON)
        with self.workers(name):
            self.ended(name)
            self.client.confirm(name, 5, 5)
            wait_for(lambda: self.client.confirmation(name).status == "completed", self._check)
            return self.tested(name, None)

    def tested(self, name: str, trial: int | None) -> float:
        self.client.final_test(name, trial)
        wait_for(lambda: self.client.final_test_result(name).status == "completed", self._check)
        accuracy = self.client.final_test_result(name).accuracy
        assert accuracy is not None
        return accuracy


def _reached(value: float | None) -> bool:
    return value is not None and value >= TARGET


def race(bench: Bench, splits: int) -> None:
    took: dict[str, list[float]] = {"random": [], "here": []}
    met = {"random": 0, "here": 0}
    for seed in range(splits):
        for side, asked in (("random", {}), ("here", SEARCH_ON)):
            algorithm = "random" if side == "random" else "bayesian"
            seconds, reached = bench.seconds_to_target(f"race-{side}-{seed}", seed, algorithm, **asked)
            took[side].append(seconds)
            met[side] += reached
            print(f"  split {seed:2} {side:6} {seconds:6.1f} s{'' if reached else ' (given up)'}", flush=True)
    ratios = [theirs / ours for theirs, ours in zip(took["random"], took["here"], strict=True)]
    print(f"seconds until {TARGET}, given up after {MOST} trials, median of {splits} splits:")
    for side in took:
        print(f"  {side:6} {median(took[side]):6.1f} s, reached in {met[side]} of {splits}")
    print(f"  times as fast, median of the splits (least, most): {_spread(ratios)}")


def picks(bench: Bench, seeds: int) -> None:
    classic, ours = [], []
    for seed in range(seeds):
        classic.append(bench.classic_pick(f"classic-{seed}", seed))
        ours.append(bench.confirmed_pick(f"confirmed-{seed}", seed))
        print(f"  seed {seed:2} classic {classic[-1]:.3f} here {ours[-1]:.3f}", flush=True)
    print(f"test accuracy of the pick, median of {seeds} seeds (least, most):")
    print(f"  classic, {CLASSIC_FIRST + CLASSIC_MORE} random trials: {_spread(classic)}")
    print(f"  here, {OURS} trials and 25 to confirm: {_spread(ours)}")


def idleness(bench: Bench) -> None:
    """How long workers had no trial, from the first claim to the last end, with suggestions by a model."""
    for what, changes in (("whole trials", {}), ("with early stopping", {"pruning": {"policy": "asha"}})):
        name = f"idle-{what.replace(' ', '-')}"
        bench.submit(name, 0, IDLE_TRIALS, "bayesian", **changes)
        with bench.workers(name):
            bench.ended(name)
        leases = [
            (attempt.started_at, attempt.ended_at)
            for trial in bench.client.trials(name)
            for attempt in bench.client.trial(name, trial.number).attempts
            if attempt.ended_at is not None
        ]
        wall = (max(end for _, end in leases) - min(start for start, _ in leases)).total_seconds()
        held = sum((end - start).total_seconds() for start, end in leases)
        print(f"workers without a trial, {IDLE_TRIALS} Bayesian trials, {what}: {1 - held / PROCESSES / wall:.1%}")


def _spread(values: list[float]) -> str:
    return f"{median(values):.3g} ({min(values):.3g}, {max(values):.3g})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=10)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, served(Path(name)) as client:
        bench = Bench(client, Path(name))
        idleness(bench)
        race(bench, asked.splits)
        picks(bench, asked.seeds)


if __name__ == "__main__":
    main()
