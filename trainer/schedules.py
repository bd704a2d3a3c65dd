"""Learning-rate schedules: by how much the learning rate is multiplied, epoch by epoch."""

from collections.abc import Callable
from math import cos, pi
from typing import Literal, TypeAlias

Schedule: TypeAlias = Callable[[float], float]
"""The factor at a time in epochs, which for a step is that of its middle: never quite 0, nor the last epoch's end."""
ScheduleName: TypeAlias = Literal["constant", "step", "exponential", "cosine"]


def constant() -> Schedule:
    """1."""
    return lambda _: 1.0


def step(gamma: float, every: int) -> Schedule:
    """gamma^floor(time / every): a fall after every so many epochs."""
    return lambda time: gamma ** (time // every)


def exponential(gamma: float) -> Schedule:
    """gamma^floor(time): a fall after each epoch."""
    return lambda time: gamma ** (time // 1)


def cosine(epochs: int) -> Schedule:
    """(1 + cos(pi time / epochs)) / 2: from 1 to 0 along half a wave (Loshchilov & Hutter 2017, one cycle)."""
    return lambda time: (1 + cos(pi * time / epochs)) / 2


def warmed_up(schedule: Schedule, epochs: float) -> Schedule:
    """Up along a straight line to another schedule over the first epochs (Goyal et al. 2017)."""
    return lambda time: schedule(time) * min(1.0, time / epochs) if epochs else schedule(time)


def choose(name: ScheduleName, *, epochs: int, gamma: float, every: int, warmup_epochs: float) -> Schedule:
    """The schedule of that name for a training of so many epochs, warmed up."""
    match name:
        case "constant":
            chosen = constant()
        case "step":
            chosen = step(gamma, every)
        case "exponential":
            chosen = exponential(gamma)
        case "cosine":
            chosen = cosine(epochs)
    return warmed_up(chosen, warmup_epochs)
