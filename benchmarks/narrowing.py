"""How honest a narrowing is: `python -m benchmarks.narrowing` judges searches with known optima by each policy.

Simulated searches first, one line a scenario; then searches out of a table of the reference task.
"""

import os
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise, product
from time import process_time
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np

from benchmarks.searches import (
    SCENARIOS,
    TABLE,
    Generator,
    RealTask,
    Task,
    above,
    below,
    choices,
    cliff,
    flat,
    gentle,
    inside,
    one_matters,
    ridge,
    simulated,
)
from service import narrowing
from service.domain.rounds import RangeEvidence, Verdict
from service.domain.space import Categorical, FloatRange, Parameter, Space
from service.domain.trial import Goal, Observation
from service.narrowing.base import Policy

POLICIES = ("evidence", "leaders")
TRIALS, SAMPLES = (20, 40, 100), (100, 2000)
SEARCHES = 48
REAL_SEARCHES = 100
ROUNDS, ROUND_TRIALS = 4, 30
IN_ROUNDS = 16
REAL_TRIALS = (20, 40, 60, 100)
OPTIMAL_LR = 0.1
BOUNDS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.99, 1.01)


def policy(name: str) -> Policy[Any]:
    found = narrowing.find(name)
    assert found is not None
    return found


def judged(name: str, space: Space, history: Sequence[Observation]) -> Mapping[str, RangeEvidence]:
    chosen = policy(name)
    return chosen.judge(space, history, Goal.MAXIMIZE, chosen.Settings())


def holds(proposed: Parameter, current: Parameter, best: float) -> bool:
    """Whether a proposed range has the best place of the one in force (or the nearest that it has)."""
    if isinstance(current, Categorical):
        return proposed.fault(current.from_unit(best)) is None
    assert not isinstance(proposed, Categorical)
    nearest = current.from_unit(min(max(best, 0.0), 1.0))
    return proposed.low <= float(nearest) <= proposed.high


def share_left(proposed: Parameter, current: Parameter) -> float:
    if isinstance(proposed, Categorical) or isinstance(current, Categorical) or current.count is not None:
        return (proposed.count or 1) / (current.count or 1)
    return current.to_unit(proposed.high) - current.to_unit(proposed.low)


def outcomes(task: Task, verdicts: Mapping[str, RangeEvidence]) -> Iterator[tuple[str, float]]:
    """What came of each range: names of things to be averaged, each with its number."""
    for name in task.idle:
        yield "left alone", verdicts[name].verdict is Verdict.KEEP
    for name, best in task.best.items():
        verdict, current, proposed = verdicts[name].verdict, task.space.parameters[name], verdicts[name].proposed
        if verdict is not Verdict.KEEP:
            yield "kept in", holds(proposed, current, best)
        if verdict is Verdict.NARROW:
            yield "width left", share_left(proposed, current)
        if not 0 <= best <= 1:
            yield "met", verdict is Verdict.WIDEN and _right_way(proposed, current, best)
        else:
            yield "widened in vain", verdict is Verdict.WIDEN
            yield "narrowed", verdict is Verdict.NARROW


def _right_way(proposed: Parameter, current: Parameter, best: float) -> bool:
    assert not isinstance(proposed, Categorical)
    assert not isinstance(current, Categorical)
    return proposed.high > current.high if best > 1 else proposed.low < current.low


def confidences(task: Task, verdicts: Mapping[str, RangeEvidence]) -> Iterator[tuple[Verdict, float, bool]]:
    """Stated confidences, and whether what they were stated of is so."""
    for name, best in task.best.items():
        found = verdicts[name]
        if found.verdict is Verdict.NARROW:
            yield found.verdict, found.confidence or 0.0, holds(found.proposed, task.space.parameters[name], best)
        if found.verdict is Verdict.WIDEN:
            up = _right_way(found.proposed, task.space.parameters[name], 2.0)
            yield found.verdict, found.confidence or 0.0, best >= 0.9 if up else best <= 0.1


class Tally:
    """Averages of what was told, by name."""

    def __init__(self) -> None:
        self.sums: defaultdict[str, float] = defaultdict(float)
        self.counts: Counter[str] = Counter()

    def add(self, name: str, value: float) -> None:
        self.sums[name] += value
        self.counts[name] += 1

    def shown(self, name: str) -> str:
        if not self.counts[name]:
            return "-"
        return f"{self.sums[name] / self.counts[name]:.1%} of {self.counts[name]}"


COLUMNS = ("kept in", "width left", "left alone", "met", "narrowed", "widened in vain")


def simulate(searches: int) -> None:
    totals = {name: Tally() for name in POLICIES}
    stated: dict[Verdict, list[tuple[float, bool]]] = {Verdict.NARROW: [], Verdict.WIDEN: []}
    print(f"{'':28}" + "".join(f"{column:>18}" for column in COLUMNS))
    for scenario in SCENARIOS:
        tallies = {name: Tally() for name in POLICIES}
        for index in range(searches):
            task, history = search(scenario, index)
            for name in POLICIES:
                verdicts = judged(name, task.space, history)
                for what, value in outcomes(task, verdicts):
                    tallies[name].add(what, value)
                    totals[name].add(what, value)
                if name == "evidence":
                    for verdict, confidence, is_so in confidences(task, verdicts):
                        stated[verdict].append((confidence, is_so))
        show(title(scenario), tallies)
    show("all", totals)
    for verdict, pairs in stated.items():
        show_confidence(verdict, pairs)


def search(scenario: Callable[[Generator], Task], index: int) -> tuple[Task, list[Observation]]:
    """One of the searches of a scenario: numbers of trials, noises and ways to search take turns."""
    rng = np.random.default_rng([index, *scenario.__name__.encode()])
    settings = list(product(TRIALS, SAMPLES, (False, True)))
    trials, samples, climbing = settings[index % len(settings)]
    task = scenario(rng)
    return task, simulated(task, trials, samples, rng, climbing=climbing)


def title(scenario: Callable[[Generator], Task]) -> str:
    return scenario.__name__.replace("_", " ")


def show(heading: str, tallies: Mapping[str, Tally]) -> None:
    for name, tally in tallies.items():
        print(f"{heading:18}{name:10}" + "".join(f"{tally.shown(column):>18}" for column in COLUMNS))


def show_confidence(verdict: Verdict, pairs: Sequence[tuple[float, bool]]) -> None:
    print(f"\nOf {len(pairs)} to {verdict}, those of a stated confidence, and how many were so:")
    for low, high in pairwise(BOUNDS):
        some = [is_so for stated, is_so in pairs if low <= stated < high]
        if some:
            print(f"  {low:.2f} to {min(high, 1):.2f}: {np.mean(some):.1%} of {len(some)}")


def in_rounds(searches: int) -> None:
    """Rounds opened as proposed, one after another: histories are not uniform in the later ones."""
    print(f"\n{ROUNDS} rounds of {ROUND_TRIALS} trials, each opened as proposed:")
    for scenario in (inside, one_matters, gentle, ridge, below, above, cliff, choices, flat):
        tallies = {name: Tally() for name in POLICIES}
        for index, name in product(range(searches), POLICIES):
            rng = np.random.default_rng([index, *scenario.__name__.encode()])
            task = scenario(rng)
            for what, value in after_rounds(name, task, SAMPLES[index % 2], rng, climbing=index % 4 > 1):
                tallies[name].add(what, value)
        for name, tally in tallies.items():
            told = ", ".join(f"{what} {tally.shown(what)}" for what in ("best in", "width left", "left alone"))
            print(f"  {title(scenario):16}{name:10}{told}")


def after_rounds(name: str, task: Task, samples: int, rng: Generator, *, climbing: bool) -> Iterator[tuple[str, float]]:
    space, history = task.space, list[Observation]()
    for _ in range(ROUNDS):
        fresh = simulated(task, ROUND_TRIALS, samples, rng, climbing=climbing, box=space)
        history += [replace(trial, number=trial.number + len(history)) for trial in fresh]
        proposed = judged(name, space, history)
        space = space.with_ranges({parameter: evidence.proposed for parameter, evidence in proposed.items()})
    for parameter, best in task.best.items():
        yield "best in", has(space.parameters[parameter], task.space.parameters[parameter], best)
        yield "width left", share_left(space.parameters[parameter], task.space.parameters[parameter])
    for parameter in task.idle:
        yield "left alone", space.parameters[parameter] == task.space.parameters[parameter]


def has(last: Parameter, first: Parameter, best: float) -> bool:
    """Whether a range has the best place of the one at first."""
    if isinstance(first, Categorical) or isinstance(last, Categorical) or first.count is not None:
        return last.fault(first.from_unit(best)) is None
    return first.to_unit(last.low) <= best <= first.to_unit(last.high)


def real(searches: int) -> None:
    """Of the reference task: the range that ends below its optimum, and one that holds it."""
    table = RealTask.load()
    decay = FloatRange(low=1e-8, high=1e-4, scale="log")
    boxes = {
        "lr 1e-6 to 1e-2": FloatRange(low=1e-6, high=1e-2, scale="log"),
        "lr 1e-4 to 1": FloatRange(low=1e-4, high=1.0, scale="log"),
    }
    for (box, lr), climbing in product(boxes.items(), (False, True)):
        print(f"\nThe reference task, {box}, weight decay 1e-8 to 1e-4, {'climbing' if climbing else 'random'} trials:")
        for trials, name in product(REAL_TRIALS, POLICIES):
            found: Counter[str] = Counter()
            for index in range(searches):
                rng = np.random.default_rng([index, trials, climbing, int(lr.high * 100)])
                space = Space({"lr": lr, "weight_decay": decay})
                verdicts = judged(name, space, table.history(space, trials, rng, climbing=climbing))
                found.update(told(verdicts))
            print(
                f"  {trials:4} trials, {name:9}",
                ", ".join(f"{what} {found[what] / searches:.0%}" for what in sorted(found)),
            )


def told(verdicts: Mapping[str, RangeEvidence]) -> Iterator[str]:
    lr, decay = verdicts["lr"], verdicts["weight_decay"]
    yield f"lr {lr.verdict}"
    yield f"weight decay {decay.verdict}"
    assert not isinstance(lr.proposed, Categorical)
    if lr.proposed.low <= OPTIMAL_LR <= lr.proposed.high:
        yield "lr holds 0.1"


def cost() -> None:
    """CPU time of one judgement, in this process and with one thread."""
    print()
    for trials, parameters in product((100, 300, 1000), (2, 5, 20)):
        rng = np.random.default_rng(trials)
        space = Space({f"p{index}": FloatRange(low=0, high=1) for index in range(parameters)})
        task = Task(space, lambda unit: 0.9 - min((unit["p0"] - 0.4) ** 2 + (unit["p1"] - 0.6) ** 2, 0.8), {}, ())
        history = simulated(task, trials, 100, rng, climbing=False)
        started = process_time()
        for _ in range(3):
            judged("evidence", space, history)
        milliseconds = (process_time() - started) / 3 * 1000
        print(f"{trials:5} trials of {parameters:2} parameters: {milliseconds:5.0f} ms a judgement")


def main() -> None:
    searches = int(sys.argv[1]) if len(sys.argv) > 1 else SEARCHES
    simulate(searches)
    in_rounds(IN_ROUNDS)
    if TABLE.exists():
        real(REAL_SEARCHES)
    cost()


if __name__ == "__main__":
    main()
