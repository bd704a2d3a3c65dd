"""Simulated searches whose optimum is known, and searches out of a table of the reference task."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.domain.space import Categorical, FloatRange, IntRange, Parameter, Params, Scalar, Space
from service.domain.status import TrialStatus
from service.domain.trial import Observation

TABLE = Path(__file__).parent / "real_task.npz"
DIVERGED = 255
OF_REAL_TASK = 100
SEED_NOISE = 0.01
STEPS = (0.05, 0.15)
RANDOM_STILL = 0.2

Generator = np.random.Generator
Accuracy = Callable[[Mapping[str, float]], float | None]


@dataclass(frozen=True)
class Task:
    """An accuracy over the unit cube (None where training diverges), and what should be found out about it."""

    space: Space
    accuracy: Accuracy
    best: Mapping[str, float]
    """Where it is highest, on each parameter that matters: 0 to 1 within the range, or beyond."""
    idle: tuple[str, ...]
    """The parameters that make no difference."""


def _range(rng: Generator) -> FloatRange:
    return FloatRange(low=1e-4, high=1.0, scale="log") if rng.random() < 0.5 else FloatRange(low=-2, high=3)


def _hill(
    rng: Generator, *, first: float | None = None, mattering: int = 2, cliff: bool = False, gentle: float = 1.0
) -> Task:
    """A bell over one or two of two to five parameters; with a cliff, all training diverges soon after its top."""
    names = [f"p{index}" for index in range(int(rng.choice([2, 3, 5])))]
    tops, widths = rng.uniform(0.2, 0.8, len(names)), gentle * rng.uniform(0.3, 0.8, len(names))
    if first is not None:
        tops[0] = first
    drop = tops[0] + rng.uniform(0.03, 0.12) if cliff else np.inf
    height = rng.uniform(0.6, 0.8)

    def accuracy(unit: Mapping[str, float]) -> float | None:
        places = np.array([unit[name] for name in names[:mattering]])
        away = (places - tops[:mattering]) / widths[:mattering]
        return None if places[0] > drop else float(0.1 + height * np.exp(-0.5 * away @ away))

    best = dict(zip(names[:mattering], tops.tolist(), strict=False))
    return Task(Space({name: _range(rng) for name in names}), accuracy, best, tuple(names[mattering:]))


def inside(rng: Generator) -> Task:
    return _hill(rng)


def gentle(rng: Generator) -> Task:
    """As in the box of a later round, which has only the top of the bell."""
    return _hill(rng, gentle=3.0)


def one_matters(rng: Generator) -> Task:
    return _hill(rng, mattering=1)


def at_lower_edge(rng: Generator) -> Task:
    return _hill(rng, first=0.0)


def at_upper_edge(rng: Generator) -> Task:
    return _hill(rng, first=1.0)


def below(rng: Generator) -> Task:
    return _hill(rng, first=-rng.uniform(0.2, 0.5), mattering=int(rng.integers(1, 3)))


def above(rng: Generator) -> Task:
    return _hill(rng, first=1 + rng.uniform(0.2, 0.5), mattering=int(rng.integers(1, 3)))


def cliff(rng: Generator) -> Task:
    return _hill(rng, mattering=1, cliff=True)


def flat(rng: Generator) -> Task:
    names = [f"p{index}" for index in range(int(rng.choice([2, 3, 5])))]
    height = rng.uniform(0.3, 0.9)
    return Task(Space({name: _range(rng) for name in names}), lambda _: height, {}, tuple(names))


def ridge(rng: Generator) -> Task:
    """What matters most is the sum of two parameters, as of a learning rate and a batch size on log scales."""
    tops, height = rng.uniform(0.3, 0.7, 2), rng.uniform(0.6, 0.8)

    def accuracy(unit: Mapping[str, float]) -> float | None:
        first, second = unit["p0"] - tops[0], unit["p1"] - tops[1]
        return float(0.1 + height * np.exp(-0.5 * (((first + second) / 0.25) ** 2 + (first - second) ** 2)))

    space = Space({name: _range(rng) for name in ("p0", "p1", "p2")})
    return Task(space, accuracy, {"p0": float(tops[0]), "p1": float(tops[1])}, ("p2",))


def together(rng: Generator) -> Task:
    """A parameter that matters only in the upper half of another; below it, all is equally middling."""
    top, width, height = rng.uniform(0.2, 0.8), rng.uniform(0.15, 0.4), rng.uniform(0.6, 0.8)

    def accuracy(unit: Mapping[str, float]) -> float | None:
        bell = np.exp(-0.5 * ((unit["p1"] - top) / width) ** 2) if unit["p0"] > 0.5 else 0.5
        return float(0.1 + height * bell)

    return Task(Space({name: _range(rng) for name in ("p0", "p1", "p2")}), accuracy, {"p1": float(top)}, ("p2",))


def choices(rng: Generator) -> Task:
    """An integer and a choice that matter, one that does not, and a range that only some choices use."""
    top, worth = rng.uniform(0.2, 0.8), rng.permutation([0.0, 0.02, 0.2, 0.4])
    only = rng.uniform(0.2, 0.8)
    parameters: dict[str, Parameter] = {
        "layers": IntRange(low=1, high=16, scale="log"),
        "optimizer": Categorical(choices=["a", "b", "c", "d"]),
        "idle": Categorical(choices=[True, False]),
        "momentum": FloatRange(low=0, high=1, when={"optimizer": [["a", "b", "c", "d"][int(np.argmin(worth))]]}),
    }
    best = {"layers": float(top), "optimizer": (float(np.argmin(worth)) + 0.5) / 4, "momentum": float(only)}

    def accuracy(unit: Mapping[str, float]) -> float | None:
        lost = 2 * (unit["layers"] - top) ** 2 + worth[min(int(unit["optimizer"] * 4), 3)]
        if "momentum" in unit:
            lost += (unit["momentum"] - only) ** 2
        return float(0.85 - min(lost, 0.7))

    return Task(Space(parameters), accuracy, best, ("idle",))


SCENARIOS: tuple[Callable[[Generator], Task], ...] = (
    inside,
    gentle,
    one_matters,
    at_lower_edge,
    at_upper_edge,
    below,
    above,
    ridge,
    together,
    cliff,
    choices,
    flat,
)

Trial = Callable[[Params, Generator], float | None]


def history(space: Space, run: Trial, count: int, samples: int, rng: Generator, *, climbing: bool) -> list[Observation]:
    """Trials at random; or a third of them, and the others mostly near the best fifth so far, as a model's are."""
    seen: list[Observation] = []
    for number in range(count):
        unit = {
            name: float(place) for name, place in zip(space.parameters, rng.random(len(space.parameters)), strict=True)
        }
        if climbing and number >= max(10, count // 3) and rng.random() > RANDOM_STILL:
            unit = _near_best(space, seen, unit, rng)
        params = space.decode(unit)
        value = run(params, rng)
        status = TrialStatus.FAILED if value is None else TrialStatus.COMPLETED
        seen.append(Observation(number, params, status, value, samples if value is not None else None))
    return seen


def _near_best(
    space: Space, seen: Sequence[Observation], unit: Mapping[str, float], rng: Generator
) -> dict[str, float]:
    ranked = sorted(seen, key=lambda trial: -1.0 if trial.value is None else -trial.value)
    origin = ranked[int(rng.integers(max(3, len(seen) // 5)))].params
    step = rng.choice(STEPS)
    return {name: _stepped(space.parameters[name], origin.get(name), place, step, rng) for name, place in unit.items()}


def _stepped(parameter: Parameter, origin: Scalar | None, place: float, step: float, rng: Generator) -> float:
    if origin is None:
        return place
    start = parameter.to_unit(origin)
    if isinstance(parameter, Categorical):
        return start if rng.random() > RANDOM_STILL else place
    return float(np.clip(start + step * rng.standard_normal(), 0, 1))


def simulated(
    task: Task, count: int, samples: int, rng: Generator, *, climbing: bool, box: Space | None = None
) -> list[Observation]:
    """Trials of a task, each measured on so many validation samples after a training of its own luck."""

    def run(params: Params, rng: Generator) -> float | None:
        accuracy = task.accuracy({name: task.space.parameters[name].to_unit(params[name]) for name in params})
        if accuracy is None:
            return None
        lucky = np.clip(accuracy + SEED_NOISE * rng.standard_normal(), 0, 1)
        return float(rng.binomial(samples, lucky)) / samples

    return history(box or task.space, run, count, samples, rng, climbing=climbing)


@dataclass(frozen=True)
class RealTask:
    """Trainings of the reference task: final accuracies by split, learning rate, weight decay and seed."""

    lr: NDArray[np.float64]
    weight_decay: NDArray[np.float64]
    finals: NDArray[np.uint8]

    @classmethod
    def load(cls, path: Path = TABLE) -> "RealTask":
        with np.load(path) as table:
            return cls(table["lr"], table["weight_decay"], table["curves"][..., -1])

    def history(self, space: Space, count: int, rng: Generator, *, climbing: bool) -> list[Observation]:
        """Trials on one of the splits, each a training at one of the four nearest points of the table."""
        split = int(rng.integers(len(self.finals)))

        def run(params: Params, rng: Generator) -> float | None:
            place = _neighbour(self.lr, params["lr"], rng), _neighbour(self.weight_decay, params["weight_decay"], rng)
            final = int(rng.choice(self.finals[(split, *place)]))
            return None if final == DIVERGED else final / 100

        return history(space, run, count, OF_REAL_TASK, rng, climbing=climbing)


def _neighbour(grid: NDArray[np.float64], value: Scalar, rng: Generator) -> int:
    """The grid point below or above a value on the log scale, the nearer the likelier."""
    place = float(np.interp(np.log(float(value)), np.log(grid), np.arange(len(grid))))
    return min(int(place + rng.random()), len(grid) - 1)
