"""What searches find, and what they cost: `python -m benchmarks.search`, with the extra bench.

Three tables. Simple regret after 20 and 40 trials, of this service's Bayesian search beside Optuna's and
scikit-optimize's; what is left of it with 8 trials pending at all times; and the CPU time of a suggestion when many
trials have finished. Every search and problem has a fresh process with one thread. `--keep FILE` goes on from what a
run before has written there, and `--seeds`, `--problems`, `--searchers` and `--tables` run a part.
"""

import os

os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from benchmarks.problems import NAMES, Problem, problem_of
from benchmarks.searchers import SEARCHERS, Searcher, Tried
from service.search.random import draw

OURS = next(iter(SEARCHERS))
TRIALS, HALFWAY, PENDING = 40, 20, 8
COSTS = {100: 26, 1_000: 128, 10_000: 128}
"""Finished trials, and the suggestions to time from there on: two intervals between this service's fits."""
PEER_SUGGESTIONS = 5
PEER_MOST = {"skopt EI": 100, "Optuna GP": 1_000, "Optuna TPE": 10_000}
COST_PROBLEMS = ("hartmann-6", "net")


@dataclass(frozen=True)
class Task:
    """One process's work."""

    searcher: str
    problem: str
    pending: int
    seeds: int
    finished: int = 0
    """Where above 0, a suggestion is timed from so many finished trials on."""


@dataclass(frozen=True)
class Result:
    task: Task
    curves: tuple[tuple[float, ...], ...]
    """The regret after each trial, by seed."""
    milliseconds: float
    """CPU time of a suggestion and of what is told after it."""

    def after(self, trials: int) -> list[float]:
        return [curve[trials - 1] for curve in self.curves]


class Timed:
    """A searcher, and the CPU time that it takes."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher, self.seconds = searcher, 0.0

    def ask(self) -> tuple[Any, Any]:
        start = process_time()
        asked = self._searcher.ask()
        self.seconds += process_time() - start
        return asked

    def tell(self, trial: Any, value: float | None) -> None:
        start = process_time()
        self._searcher.tell(trial, value)
        self.seconds += process_time() - start


def run(task: Task) -> Result:
    return _cost(task) if task.finished else _regret(task)


def _regret(task: Task) -> Result:
    curves, seconds = [], 0.0
    for seed in range(task.seeds):
        problem = problem_of(task.problem, seed)
        searcher = Timed(SEARCHERS[task.searcher](problem, seed))
        tried = list(_searched(searcher, problem, task.pending, np.random.default_rng((seed, 1))))
        curves.append(tuple(problem.regret(tried[:count]) for count in range(1, TRIALS + 1)))
        seconds += searcher.seconds
    return Result(task, tuple(curves), 1000 * seconds / task.seeds / TRIALS)


def _searched(searcher: Timed, problem: Problem, pending: int, chance: np.random.Generator) -> Iterator[Tried]:
    """Trials as they finish: in any order, while there are always as many more pending when one is asked for."""
    running: list[tuple[Any, Any]] = []
    finished = 0
    while finished < TRIALS:
        running.append(searcher.ask())
        if len(running) > pending:
            # Not the one just asked for: workers get their trials before they are needed.
            trial, params = running.pop(int(chance.integers(max(pending, 1))))
            value = problem.trial(params, chance)
            searcher.tell(trial, value)
            finished += 1
            yield params, value


def _cost(task: Task) -> Result:
    problem, chance = problem_of(task.problem, 0), np.random.default_rng(0)
    drawn = [draw(problem.space, chance) for _ in range(task.finished)]
    searcher = SEARCHERS[task.searcher](problem, 0)
    searcher.learn([(params, problem.trial(params, chance)) for params in drawn])
    timed, count = Timed(searcher), _suggestions(task)
    for turn in range(count + 1):
        if turn == 1:
            timed.seconds = 0.0  # the first pays for imports
        trial, params = timed.ask()
        timed.tell(trial, problem.trial(params, chance))
    return Result(task, (), 1000 * timed.seconds / count)


def _suggestions(task: Task) -> int:
    return COSTS[task.finished] if task.searcher == OURS else PEER_SUGGESTIONS


def tasks(options: argparse.Namespace) -> Iterator[Task]:
    if "regret" in options.tables:
        yield from (Task(who, what, 0, options.seeds) for what in options.problems for who in options.searchers)
    if "pending" in options.tables:
        yield from (Task(OURS, what, PENDING, options.seeds) for what in options.problems)
    if "cost" in options.tables:
        for finished in COSTS:
            able = [who for who in options.searchers if PEER_MOST.get(who, finished) >= finished]
            yield from (Task(who, what, 0, 1, finished) for what in COST_PROBLEMS for who in able)


def results(wanted: Sequence[Task], processes: int, keep: Path | None) -> Iterator[Result]:
    """What is kept already, and then the rest as it comes in."""
    kept = [result for result in _kept(keep) if result.task in wanted]
    yield from kept
    done = {result.task for result in kept}
    with ProcessPoolExecutor(processes, get_context("spawn"), max_tasks_per_child=1) as pool:
        for future in as_completed([pool.submit(run, task) for task in wanted if task not in done]):
            result = future.result()
            if keep:
                with keep.open("a") as file:
                    file.write(json.dumps(asdict(result)) + "\n")
            yield result


def _kept(keep: Path | None) -> Iterator[Result]:
    lines = keep.read_text().splitlines() if keep and keep.exists() else []
    for line in lines:
        told = json.loads(line)
        yield Result(Task(**told["task"]), tuple(map(tuple, told["curves"])), told["milliseconds"])


def show(found: Iterable[Result]) -> None:
    by_task = {result.task: result for result in sorted(found, key=lambda result: _order(result.task))}
    _show_regret([result for task, result in by_task.items() if not task.finished and not task.pending])
    _show_pending(by_task)
    _show_cost([result for task, result in by_task.items() if task.finished])


def _show_regret(alone: Sequence[Result]) -> None:
    print(f"\nSimple regret after {HALFWAY} and {TRIALS} trials: median (quartiles); CPU ms a trial")
    for result in alone:
        told = f"{_quartiles(result.after(HALFWAY))}  {_quartiles(result.after(TRIALS))}  {result.milliseconds:7.1f}"
        print(f"  {result.task.problem:<14}{result.task.searcher:<12}{told}")


def _show_pending(by_task: Mapping[Task, Result]) -> None:
    print(f"\nRegret after {TRIALS} trials with {PENDING} more pending at all times: median (quartiles), and how many")
    print(
        f"times that one after the other after {TRIALS} and, as much being known to the last, {TRIALS - PENDING} trials"
    )
    for task, result in by_task.items():
        alone = by_task.get(replace(task, pending=0))
        if task.pending and alone:
            middle = np.median(result.after(TRIALS))
            ratios = [middle / np.median(alone.after(trials)) for trials in (TRIALS, TRIALS - PENDING)]
            told = "".join(f"{ratio:9.2f}" for ratio in ratios)
            print(f"  {task.problem:<14}{_quartiles(result.after(TRIALS))}{told}")


def _show_cost(timed: Sequence[Result]) -> None:
    print("\nCPU ms of a suggestion, after so many finished trials, each after one more result")
    for result in timed:
        task = result.task
        print(f"  {task.finished:>6,}  {task.problem:<14}{task.searcher:<12}{result.milliseconds:9.1f}")


def _order(task: Task) -> tuple[int, int, int]:
    return task.finished, NAMES.index(task.problem), list(SEARCHERS).index(task.searcher)


def _quartiles(values: Sequence[float]) -> str:
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return f"{middle:9.2g} ({low:8.2g},{high:8.2g})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--problems", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--searchers", nargs="+", choices=list(SEARCHERS), default=list(SEARCHERS))
    parser.add_argument(
        "--tables", nargs="+", choices=["regret", "pending", "cost"], default=["regret", "pending", "cost"]
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    found = []
    wanted = list(tasks(options))
    for result in results(wanted, options.processes, options.keep):
        found.append(result)
        print(f"{len(found)} of {len(wanted)}: {result.task.searcher} on {result.task.problem}", file=sys.stderr)
    show(found)


if __name__ == "__main__":
    sys.exit(main())
