"""What searches are measured on: known functions with known optima, and a table of the real task."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from service.domain.space import Categorical, FloatRange, IntRange, Params, Space
from service.domain.trial import Goal

Floats: TypeAlias = npt.NDArray[np.float64]
TABLE = Path(__file__).with_name("real_task.npz")
DIVERGED = 255


@dataclass(frozen=True)
class Problem:
    """A space, what a trial there reports (None where it fails), and what its point is truly worth."""

    name: str
    space: Space
    optimum: float
    truth: Callable[[Params], float | None]
    goal: Goal = Goal.MINIMIZE
    observe: Callable[[Params, np.random.Generator], float | None] | None = None

    def trial(self, params: Params, chance: np.random.Generator) -> float | None:
        return self.observe(params, chance) if self.observe else self.truth(params)

    def regret(self, trials: Sequence[tuple[Params, float | None]]) -> float:
        """How far the point with the best reported value truly is from the optimum; infinite while all have failed."""
        finished = [(self.goal.better(value), params) for params, value in trials if value is not None]
        if not finished:
            return math.inf
        best = self.truth(max(finished, key=lambda pair: pair[0])[1])
        return abs(self.optimum - best) if best is not None else math.inf


@dataclass(frozen=True)
class Table:
    """The reference search's accuracies by learning rate, weight decay and seed, on one split of the data."""

    lr: Floats
    weight_decay: Floats
    last: npt.NDArray[np.uint8] = field(repr=False)

    def cell(self, params: Params) -> npt.NDArray[np.uint8]:
        return self.last[_nearest(self.lr, params["lr"]), _nearest(self.weight_decay, params["weight_decay"])]

    def truth(self, params: Params) -> float:
        """The mean over seeds, of which one that diverged is worth nothing."""
        return _worth(self.cell(params))

    def observe(self, params: Params, chance: np.random.Generator) -> float | None:
        accuracy = int(chance.choice(self.cell(params)))
        return None if accuracy == DIVERGED else accuracy / 100

    @property
    def best(self) -> float:
        return max(_worth(seeds) for row in self.last for seeds in row)

    @property
    def space(self) -> Space:
        return Space({"lr": _log(self.lr[0], self.lr[-1]), "weight_decay": _log(*self.weight_decay[[0, -1]])})


def _worth(accuracies: npt.NDArray[np.uint8]) -> float:
    return float(np.where(accuracies == DIVERGED, 0, accuracies).mean() / 100)


def _nearest(places: Floats, value: Any) -> int:
    return int(np.abs(np.log(places) - math.log(value)).argmin())


def _log(low: float, high: float) -> FloatRange:
    return FloatRange(low=float(low), high=float(high), scale="log")


def _cube(dimensions: int) -> Space:
    return Space({f"x{index}": FloatRange(low=0.0, high=1.0) for index in range(dimensions)})


def _row(params: Params) -> Floats:
    return np.array([params[f"x{index}"] for index in range(len(params))], dtype=np.float64)


def branin(params: Params) -> float:
    u, v = _row(params)
    x, y = 15 * u - 5, 15 * v
    bowl = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
    return float(bowl**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10)


def hartmann(params: Params) -> float:
    weights = np.array([1.0, 1.2, 3.0, 3.2])
    widths = np.array(
        [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
    )
    centres = 1e-4 * np.array(
        [
            [1312, 1696, 5569, 124, 8283, 5886],
            [2329, 4135, 8307, 3736, 1004, 9991],
            [2348, 1451, 3522, 2883, 3047, 6650],
            [4047, 8828, 8732, 5743, 1091, 381],
        ]
    )
    return float(-weights @ np.exp(-(widths * (_row(params) - centres) ** 2).sum(axis=1)))


def rosenbrock(params: Params) -> float:
    """The unit cube is [-2, 2] on every axis."""
    x = 4 * _row(params) - 2
    return float((100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum())


def cliff(params: Params) -> float | None:
    """The loss falls ever faster with the effective learning rate, a tenth of a decade beyond the best it diverges."""
    effective = math.log10(params["lr"]) - math.log10(1 - params["momentum"])
    if effective > 0:
        return None
    off = 3 * abs(effective + 0.1)
    decay = 0.02 * (math.log10(params["weight_decay"]) + 4) ** 2
    return off**2 / (1 + off) + 0.3 * (params["momentum"] - 0.8) ** 2 + decay


OPTIMIZERS = {"sgd": (0.3, -1.0), "momentum": (0.0, -1.0), "adam": (0.1, -3.0)}


def net(params: Params) -> float:
    """A net whose best learning rate depends on its optimizer and, if it has one, on its momentum."""
    loss, best_lr = OPTIMIZERS[params["optimizer"]]
    if "momentum" in params:
        best_lr += math.log10(1 - params["momentum"])
        loss += 1.2 * (params["momentum"] - 0.9) ** 2
    loss += 0.25 * (math.log10(params["lr"]) - best_lr) ** 2
    loss += 0.05 * (params["layers"] - 3) ** 2 + 0.05 * (math.log2(params["width"]) - 7) ** 2
    return loss + ((params["rate"] - 0.3) ** 2 if params["dropout"] else 0.05)


def pipeline(params: Params) -> float:
    """Three models that share no parameter; the best is the one whose good region is the smallest."""
    match params["model"]:
        case "forest":
            return 0.12 + 0.002 * (params["depth"] - 12) ** 2 + 0.03 * (math.log10(params["trees"]) - 2.5) ** 2
        case "svm":
            c, gamma = math.log10(params["c"]) - 1, math.log10(params["gamma"]) + 2
            return 0.05 + 0.03 * (c + gamma) ** 2 + 0.01 * (c - gamma) ** 2
        case _:
            rate, width = math.log10(params["lr"]) + 2.5, math.log2(params["units"]) - 6
            return 0.4 * (1 - math.exp(-0.5 * rate**2 - 0.1 * width**2))


NET = Space(
    {
        "optimizer": Categorical(choices=["sgd", "momentum", "adam"]),
        "lr": _log(1e-5, 1.0),
        "momentum": FloatRange(low=0.0, high=0.99, when={"optimizer": ["momentum"]}),
        "layers": IntRange(low=1, high=6),
        "width": IntRange(low=8, high=512, scale="log"),
        "dropout": Categorical(choices=[False, True]),
        "rate": FloatRange(low=0.0, high=0.8, when={"dropout": [True]}),
    }
)
PIPELINE = Space(
    {
        "model": Categorical(choices=["svm", "forest", "net"]),
        "c": FloatRange(low=1e-3, high=1e3, scale="log", when={"model": ["svm"]}),
        "gamma": FloatRange(low=1e-5, high=10.0, scale="log", when={"model": ["svm"]}),
        "depth": IntRange(low=1, high=20, when={"model": ["forest"]}),
        "trees": IntRange(low=10, high=1000, scale="log", when={"model": ["forest"]}),
        "lr": FloatRange(low=1e-5, high=1.0, scale="log", when={"model": ["net"]}),
        "units": IntRange(low=4, high=512, scale="log", when={"model": ["net"]}),
    }
)
CLIFF = Space({"lr": _log(1e-6, 10.0), "momentum": FloatRange(low=0.0, high=0.99), "weight_decay": _log(1e-8, 1e-1)})

FUNCTIONS: Mapping[str, Problem] = {
    problem.name: problem
    for problem in (
        Problem("branin", _cube(2), 0.39788735772973816, branin),
        Problem("hartmann-6", _cube(6), -3.3223680114155147, hartmann),
        Problem("rosenbrock-4", _cube(4), 0.0, rosenbrock),
        Problem("cliff", CLIFF, 0.0, cliff),
        Problem("net", NET, 0.0, net),
        Problem("pipeline", PIPELINE, 0.0, pipeline),
    )
}
NAMES = (*FUNCTIONS, "real task")


@cache
def tables() -> tuple[Table, ...]:
    """One for each split of the data."""
    with np.load(TABLE) as arrays:
        return tuple(Table(arrays["lr"], arrays["weight_decay"], curves[..., -1]) for curves in arrays["curves"])


def problem_of(name: str, seed: int) -> Problem:
    """The problem of a name; of the real task, the splits take turns."""
    if name in FUNCTIONS:
        return FUNCTIONS[name]
    table = tables()[seed % len(tables())]
    return Problem(name, table.space, table.best, table.truth, Goal.MAXIMIZE, table.observe)
