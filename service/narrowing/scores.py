"""Finished trials as scores of mean 0 and deviation 1: how good they are, and whether they failed."""

from collections.abc import Sequence

import numpy as np

from service.domain.ranking import interval_of
from service.domain.status import TrialStatus
from service.domain.trial import Goal, Observation
from service.narrowing.surface import Belief, Floats, Sample

TOP = 3
TOLERANCE = 1.0
NO_DIFFERENCE = 1e-12
UNKNOWN_NOISE = Belief(variance=0.05, spread=2.0)
SAMPLED_SPREAD = 1.0


def failed(trials: Sequence[Observation]) -> tuple[Sample, float] | None:
    """Whether each trial failed, and the score half way between; None where all did, or none."""
    flags = np.array([is_failed(trial) for trial in trials], dtype=np.float64)
    share, deviation = float(flags.mean()), float(flags.std())
    if deviation == 0:
        return None
    sample = Sample((flags - share) / deviation, np.ones(len(flags)), UNKNOWN_NOISE, uneven=False)
    return sample, (0.5 - share) / deviation


def valued(trials: Sequence[Observation], goal: Goal) -> Sample | None:
    """How good each of some trials that have a value is; None where they are all alike."""
    if not trials:
        return None
    better, largest = _better(trials, goal)
    cut = np.maximum(better, _floor(better))
    deviation = float(cut.std())
    if deviation <= NO_DIFFERENCE:
        return None
    return Sample((cut - cut.mean()) / deviation, np.ones(len(cut)), _belief(trials, deviation * largest))


def is_failed(trial: Observation) -> bool:
    return trial.value is None or trial.status is TrialStatus.FAILED


def _better(trials: Sequence[Observation], goal: Goal) -> tuple[Floats, float]:
    """Values of which more is better, as shares of the largest that is not below the floor.

    A pruned trial is not held to be better than half of the completed ones: it would have been let run on.
    """
    # Halved, because the difference of two numbers near the largest that there are is infinite.
    halves = np.array([goal.better(trial.value or 0.0) for trial in trials]) / 2
    # Cut before all are measured by the largest: beside one loss of 1e20 all others would be alike.
    values = np.maximum(halves, _floor(halves))
    largest = float(np.abs(values).max()) or 1.0
    shares = values / largest
    pruned = np.array([trial.status is TrialStatus.PRUNED for trial in trials])
    if not pruned.all():
        shares[pruned] = np.minimum(shares[pruned], np.median(shares[~pruned]))
    return shares, 2 * largest


def _floor(better: Floats) -> float:
    """Below it all are equally bad: how a function falls to ruin says nothing of where it is best."""
    middle = float(np.median(better))
    return middle - TOLERANCE * (float(np.sort(better)[-TOP:].mean()) - middle)


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
