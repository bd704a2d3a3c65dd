"""What early stopping saves and what it loses: `python -m benchmarks.pruning` repeats searches of the reference's task.

The searches run on the table of `benchmarks.real_task`: two workers train random trials, epoch by epoch, with every
rule and without any. A search with a rule draws the same trials as the one without, so that each pair tells what the
rule lost: the mean accuracy, over the table's seeds, of the values that it would recommend, beside the other's. The
column `leaders` is the share of the trials that it stopped wrongly: at their whole length they could not have been told
apart from the best.
"""

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from pathlib import Path
from typing import Any

import numpy as np

from service.domain.ranking import wilson
from service.domain.trial import Goal
from service.pruning import find
from service.pruning.base import Check, Course, Rule, Standing, looks

TABLE = Path(__file__).with_name("real_task.npz")
SAMPLES, DIVERGED, WORKERS = 100, 255, 2
BOXES = {"as submitted": (1e-6, 1e-2, 1e-8, 1e-4), "widened": (1e-4, 1.0, 1e-8, 1e-1)}
RULES: dict[str, dict[str, Any]] = {
    "asha": {},
    "hyperband": {},
    "median": {},
    "patient": {},
    "threshold": {"lower": 0.15, "warmup": 10},
}


@dataclass(frozen=True)
class Cell:
    """One trial: the curve that it would have, and what its values are worth in the mean."""

    curve: tuple[float, ...]
    worth: float

    @property
    def whole(self) -> bool:
        return not math.isnan(self.curve[-1])


class Task:
    def __init__(self) -> None:
        table = np.load(TABLE)
        self._lr, self._decay = np.log(table["lr"]), np.log(table["weight_decay"])
        self._curves = np.where(table["curves"] == DIVERGED, np.nan, table["curves"] / 100)

    @property
    def splits(self) -> int:
        return len(self._curves)

    def draw(self, rng: np.random.Generator, box: tuple[float, float, float, float], split: int) -> Cell:
        """A uniform trial of a box, as the nearest cell has it."""
        lr = int(np.abs(self._lr - rng.uniform(*np.log(box[:2]))).argmin())
        decay = int(np.abs(self._decay - rng.uniform(*np.log(box[2:]))).argmin())
        runs = self._curves[split, lr, decay]
        curve = tuple(runs[rng.integers(len(runs))].tolist())
        return Cell(curve, float(np.nan_to_num(runs[:, -1]).mean()))


@dataclass
class Search:
    """Two workers at their trials, epoch by epoch in turn; the rule sees what the server would."""

    rule: Rule[Any] | None
    settings: Any
    epochs: int = 0
    stopped: set[int] = field(default_factory=set)
    best: tuple[float, float] = (-1.0, 0.0)
    _board: dict[tuple[int, int], list[float]] = field(default_factory=dict)

    def run(self, cells: list[Cell]) -> "Search":
        waiting = iter(enumerate(cells))
        at_work: list[tuple[int, int, Iterator[None]]] = []
        for worker, (number, cell) in zip(range(WORKERS), waiting, strict=False):
            heappush(at_work, (0, worker, self._train(number, cell)))
        while at_work:
            time, worker, run = heappop(at_work)
            if next(run, run) is not run:
                heappush(at_work, (time + 1, worker, run))
            elif (following := next(waiting, None)) is not None:
                heappush(at_work, (time, worker, self._train(*following)))
        return self

    def _train(self, number: int, cell: Cell) -> Iterator[None]:
        course = Course(number=number, seed=0, full=len(cell.curve))
        for epoch, value in enumerate(cell.curve, 1):
            if math.isnan(value):
                return
            self.epochs += 1
            if self._ends(course, epoch, cell.curve):
                self.stopped.add(number)
                return
            yield
        if cell.whole:
            self.best = max(self.best, (cell.curve[-1], cell.worth), key=lambda seen: seen[0])

    def _ends(self, course: Course, epoch: int, curve: tuple[float, ...]) -> bool:
        rule, settings = self.rule, self.settings
        if rule is None or epoch == len(curve) or not looks(rule, course, settings, epoch - 1, [epoch]):
            return False
        others = self._board.setdefault((epoch, rule.bracket(course, settings)), [])
        value = rule.reading(curve[:epoch])
        standing = Standing(len(others), sum(other > value for other in others))
        others.append(value)
        check = Check(epoch=epoch, values=curve[:epoch], standing=standing, goal=Goal.MAXIMIZE)
        return rule.verdict(check, settings) is not None


def leading(cells: list[Cell]) -> set[int]:
    """The trials that at their whole length could not be told apart from the best."""
    values = [cell.curve[-1] for cell in cells]
    best = wilson(float(np.nanmax(values)), SAMPLES)
    return {number for number, value in enumerate(values) if value == value and wilson(value, SAMPLES).overlaps(best)}


def compared(task: Task, rule: Rule[Any], settings: Any, box: str, trials: int, repeats: int) -> dict[str, float]:
    saved, lost, within, stopped, wrongly = [], [], [], [], []
    for repeat in range(repeats):
        rng = np.random.default_rng(repeat)
        cells = [task.draw(rng, BOXES[box], repeat % task.splits) for _ in range(trials)]
        full, pruned = Search(None, None).run(cells), Search(rule, settings).run(cells)
        saved.append(1 - pruned.epochs / full.epochs)
        lost.append(full.best[1] - pruned.best[1])
        interval = wilson(full.best[1], SAMPLES)
        within.append(pruned.best[1] >= interval.low)
        stopped.append(len(pruned.stopped) / trials)
        leaders = leading(cells)
        wrongly.append(len(pruned.stopped & leaders) / len(leaders))
    return {
        "saved": float(np.median(saved)),
        "least": min(saved),
        "stopped": float(np.median(stopped)),
        "wrongly": float(np.mean(wrongly)),
        "within": float(np.mean(within)),
        "lost": float(np.mean(lost)),
        "most": max(lost),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=40)
    asked = parser.parse_args()
    task = Task()
    print(f"{asked.repeats} searches of {asked.trials} random trials by {WORKERS} workers, with each rule and without")
    for box in BOXES:
        print(f"\nThe box {box}:")
        print("             saved (least) stopped leaders  best within noise  accuracy lost (at most)")
        for name, chosen in RULES.items():
            rule = find(name)
            assert rule is not None
            told = compared(task, rule, rule.Settings(**chosen), box, asked.trials, asked.repeats)
            epochs = f"{told['saved']:5.0%} ({told['least']:.0%})  {told['stopped']:6.0%} {told['wrongly']:7.0%}"
            lost = f"{told['lost']:+13.3f} ({told['most']:+.3f})"
            print(f"  {name:10} {epochs}  {told['within']:17.0%}  {lost}")


if __name__ == "__main__":
    main()
