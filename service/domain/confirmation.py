"""What trials that were trained again with fresh seeds say: their means, and which can be told apart."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, stdev

from service.domain.ranking import Interval
from service.domain.student import quantile_95, two_sided_p
from service.domain.trial import Goal

LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Repeats:
    """The values of one trial that was trained again, by the seeds with which it was.

    `step` is the least by which two values can differ: one sample of those behind an accuracy, 0 where unknown.
    """

    trial: int
    values: Mapping[int, float]
    step: float = 0.0
    diverged: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much a trial's values lie above the winner's, over the seeds that both have."""

    mean: float
    interval: Interval | None
    """A 95% interval of this difference alone; None for a single seed."""
    p: float | None
    """How likely chance alone makes such a difference, corrected for the number of trials compared."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a trial stands after its repeats; without a value yet it has no rank."""

    trial: int
    rank: int | None
    mean: float | None
    interval: Interval | None
    difference: Difference | None
    leader: bool
    diverged: int


def standings(trials: Sequence[Repeats], goal: Goal) -> list[Standing]:
    """Best mean first, ties by lower number; those of which a repeat diverged come after those of which none did."""
    ranked = sorted((one for one in trials if one.values), key=lambda one: _order(one, goal))
    chances = _chances(ranked)
    placed = [_standing(one, rank, ranked[0], chances) for rank, one in enumerate(ranked, 1)]
    return placed + [_without_value(one) for one in trials if not one.values]


def holm(chances: Sequence[float]) -> list[float]:
    """Corrects p values for being so many, in their order (Holm 1979)."""
    corrected, largest = list(chances), 0.0
    for place, index in enumerate(sorted(range(len(chances)), key=chances.__getitem__)):
        largest = max(largest, min(1.0, (len(chances) - place) * chances[index]))
        corrected[index] = largest
    return corrected


def _without_value(one: Repeats) -> Standing:
    return Standing(one.trial, None, None, None, None, leader=False, diverged=one.diverged)


def _order(one: Repeats, goal: Goal) -> tuple[bool, float, int]:
    return one.diverged > 0, -goal.better(fmean(one.values.values())), one.trial


def _standing(one: Repeats, rank: int, winner: Repeats, chances: Mapping[tuple[int, int], float]) -> Standing:
    values = list(one.values.values())
    interval = _interval(values, one.step)
    if interval is not None and one.step:
        interval = Interval(max(0.0, interval.low), min(1.0, interval.high))
    chance = chances.get((winner.trial, one.trial))
    difference = None if rank == 1 else _difference(one, winner, chance)
    leads = chance is None or chance > LEVEL
    return Standing(one.trial, rank, fmean(values), interval, difference, leads, one.diverged)


def _difference(one: Repeats, winner: Repeats, chance: float | None) -> Difference | None:
    pairs = _pairs(one, winner)
    return Difference(fmean(pairs), _interval(pairs, _step(one, winner)), chance) if pairs else None


def _chances(ranked: Sequence[Repeats]) -> dict[tuple[int, int], float]:
    """The p of every pair, in the order of their ranks, that shares two seeds or more.

    All pairs count, and not those with the winner alone, since the winner is chosen by the same values.
    """
    found = {
        (better.trial, other.trial): _chance(pairs, _step(better, other))
        for better, other in combinations(ranked, 2)
        if len(pairs := _pairs(other, better)) > 1
    }
    return dict(zip(found, holm(list(found.values())), strict=True))


def _pairs(one: Repeats, winner: Repeats) -> list[float]:
    return [value - winner.values[seed] for seed, value in one.values.items() if seed in winner.values]


def _chance(differences: Sequence[float], step: float) -> float:
    """The p of Student's paired test."""
    mean, error = fmean(differences), _standard_error(differences, step)
    if error == 0:
        return 1.0 if mean == 0 else 0.0
    return two_sided_p(mean / error, len(differences) - 1)


def _interval(values: Sequence[float], step: float) -> Interval | None:
    """Student's 95% interval of the mean."""
    if len(values) < 2:
        return None
    mean, half = fmean(values), quantile_95(len(values) - 1) * _standard_error(values, step)
    return Interval(mean - half, mean + half)


def _standard_error(values: Sequence[float], step: float) -> float:
    # Few samples make equal accuracies of unequal nets: no less than the deviation that rounding alone has.
    return max(stdev(values), step / math.sqrt(12)) / math.sqrt(len(values))


def _step(one: Repeats, other: Repeats) -> float:
    """That of a difference: its rounding has the variance of both."""
    return math.hypot(one.step, other.step)
