"""Finished trials as scores of mean 0 and deviation 1, of which more is better, and what is known of their noise."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from service.domain.ranking import interval_of
from service.domain.status import TrialStatus
from service.domain.trial import Goal, Observation
from service.narrowing.surface import Belief, Floats

TOP = 3
TOLERANCE = 1.0
UNKNOWN_NOISE = Belief(variance=0.05, spread=2.0)
SAMPLED_SPREAD = 1.0


@dataclass(frozen=True)
class Scores:
    """One score a trial, the size of a score of 1 in the values' own unit, and a belief about the noise."""

    values: Floats
    unit: float
    noise: Belief

    @classmethod
    def of(cls, trials: Sequence[Observation], goal: Goal) -> Self | None:
        """None where no two trials differ, so that there is nothing to learn from."""
        better, largest = _better(trials, goal)
        if not np.isfinite(better).any():
            return None
        cut = np.maximum(better, _floor(better))
        deviation = float(cut.std())
        if deviation <= 1e-12 * max(1.0, float(np.abs(cut).max())):
            return None
        unit = deviation * largest
        return cls((cut - cut.mean()) / deviation, unit, _belief(trials, unit))


def _better(trials: Sequence[Observation], goal: Goal) -> tuple[Floats, float]:
    """Values of which more is better, as shares of the largest; a failed trial is worse than any.

    A pruned trial is not held to be better than half of the completed ones: it would have been let run on.
    """
    values = np.array([_value(trial, goal) for trial in trials])
    finite = np.isfinite(values)
    largest = float(np.abs(values[finite]).max(initial=0.0)) or 1.0
    shares = values / largest
    pruned = np.array([trial.status is TrialStatus.PRUNED for trial in trials])
    if (finite & ~pruned).any():
        shares[pruned] = np.minimum(shares[pruned], np.median(shares[finite & ~pruned]))
    return shares, largest


def _value(trial: Observation, goal: Goal) -> float:
    failed = trial.value is None or trial.status is TrialStatus.FAILED
    return -np.inf if failed else goal.better(trial.value or 0.0)


def _floor(better: Floats) -> float:
    """Below it all are equally bad: how a function falls to ruin says nothing of where it is best."""
    finite = better[np.isfinite(better)]
    lowest = float(finite.min())
    middle = float(np.median(np.maximum(better, lowest)))
    top = float(np.sort(finite)[-TOP:].mean())
    floor = max(middle - TOLERANCE * (top - middle), lowest)
    return floor if len(finite) == len(better) or floor < top else lowest - max(abs(lowest), 1.0)


def _belief(trials: Sequence[Observation], unit: float) -> Belief:
    """From the validation samples behind the better half of the accuracies, where they are known."""
    known = [trial for trial in trials if interval_of(trial.value, trial.samples) is not None]
    if 2 * len(known) < len(trials):
        return UNKNOWN_NOISE
    best = sorted(known, key=lambda trial: -(trial.value or 0.0))[: (len(known) + 1) // 2]
    variance = float(np.mean([_variance(trial.value or 0.0, trial.samples or 1) for trial in best]))
    return Belief(variance=(variance**0.5 / unit) ** 2, spread=SAMPLED_SPREAD)


def _variance(value: float, samples: int) -> float:
    """Of a proportion; one success and one failure more keep it above 0 (Agresti and Coull 1998)."""
    share = (value * samples + 1) / (samples + 2)
    return share * (1 - share) / samples
