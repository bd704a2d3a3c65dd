"""Which trials are best, and which of them the data can tell apart."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat

from service.domain.space import Space
from service.domain.trial import Goal, Observation

NORMAL_95 = 1.959963984540054
FEWEST_FOR_NOISE = 8
# The median of a squared standard normal variable, which turns a median of squares into a variance.
MEDIAN_OF_SQUARE = 0.45493642311957283


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95% confidence interval."""

    low: float
    high: float

    def overlaps(self, other: "Interval") -> bool:
        return self.low <= other.high and other.low <= self.high


def wilson(value: float, samples: int) -> Interval:
    """Wilson's 95% interval of a proportion seen in `samples` independent samples (Wilson 1927)."""
    square = NORMAL_95**2
    middle = (value + square / (2 * samples)) / (1 + square / samples)
    half = NORMAL_95 / (1 + square / samples) * math.sqrt(value * (1 - value) / samples + square / (4 * samples**2))
    return Interval(max(0.0, middle - half), min(1.0, middle + half))


def interval_of(value: float | None, samples: int | None) -> Interval | None:
    """The interval of an accuracy over a known number of samples; None for any other value."""
    if value is None or samples is None or not 0 <= value <= 1:
        return None
    return wilson(value, samples)


def estimated_noise(space: Space, best: Sequence[Observation]) -> float | None:
    """The standard deviation of a value, from how much nearest neighbours among the best differ.

    Neighbours also differ by their values, so that it errs towards too much noise. None for too few.
    """
    points = [(list(space.encode(trial.params).values()), trial.value) for trial in best if trial.value is not None]
    if len(points) < FEWEST_FOR_NOISE:
        return None
    places, values = [place for place, _ in points], [value for _, value in points]
    differences = sorted(abs(values[near] - value) for near, value in zip(_nearest(places), values, strict=True))
    return differences[len(differences) // 2] / math.sqrt(2 * MEDIAN_OF_SQUARE)


def leaders(ranked: Sequence[Observation], goal: Goal, noise: float | None) -> list[bool]:
    """For trials from the best on: whether each one cannot be told apart from the best.

    By their intervals where both have one, otherwise by a difference within 1.96 standard deviations.
    """
    if not ranked:
        return []
    return [_close(ranked[0], trial, goal, noise) for trial in ranked]


def _close(best: Observation, other: Observation, goal: Goal, noise: float | None) -> bool:
    if best.value is None or other.value is None or best.status is not other.status:
        return False
    first, second = interval_of(best.value, best.samples), interval_of(other.value, other.samples)
    if first is not None and second is not None:
        return first.overlaps(second)
    return goal.better(best.value) - goal.better(other.value) <= NORMAL_95 * math.sqrt(2) * (noise or 0.0)


def _nearest(places: Sequence[list[float]]) -> Iterator[int]:
    """For each place the first of those that are nearest to it."""
    for index, place in enumerate(places):
        distances = list(map(math.dist, places, repeat(place)))
        distances[index] = math.inf
        yield distances.index(min(distances))
