"""Says of each parameter how much it matters, and whether that can be told apart from noise."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from service.domain.space import Space
from service.domain.status import TrialStatus
from service.domain.trial import Goal, Observation
from service.importance.chance import p_values
from service.importance.fanova import Share, neighbours, shares
from service.importance.forest import grown
from service.importance.points import Floats, Group, Points, columns_of

METHOD = "functional ANOVA of a random forest, with a local permutation test corrected after Holm"
NO = "Not told apart from noise"
LEVEL = 0.05
FEWEST = 20
MOST_TRIALS = 1_000
MOST_NUMBERS = 15_000
TREES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """What is known of one parameter; None where there are too few trials to know it."""

    importance: float | None = None
    """Its share of the variance, with what it does together with others."""
    alone: float | None = None
    p_value: float | None = None
    matters: bool = False
    reason: str


@dataclass(frozen=True, slots=True)
class Importance:
    """What the forest says, and from how many trials."""

    trials: int
    parameters: dict[str, Weight]


def judge(space: Space, history: Sequence[Observation], goal: Goal, seed: int) -> Importance:
    """The same for the same history and seed.

    Values are told by their ranks, so that one diverged loss does not outweigh all the rest; failed
    trials rank with the worst that finished, pruned ones at their last value. A parameter that not
    every trial uses is judged by the trials that do. Beyond `MOST_TRIALS`, or `MOST_NUMBERS` in all
    their columns, trials are drawn.
    """
    random = np.random.default_rng(seed)
    told = _drawn(_told(history, goal), space, random)
    if len(told) < FEWEST:
        return Importance(len(told), dict.fromkeys(space.parameters, Weight(reason=_too_few(len(told), "ended"))))
    points = Points.of(space, [seen.params for seen, _ in told], random)
    scores = _scores(np.array([value for _, value in told]))
    weights = _weights(points, scores, seed, random)
    return Importance(len(told), {name: weights[name] for name in space.parameters})


def _weights(points: Points, scores: Floats, seed: int, random: np.random.Generator) -> dict[str, Weight]:
    trees = grown(points.rows, scores, TREES, seed % 2**32)
    judged = [name for name, group in points.groups.items() if np.count_nonzero(group.used) >= FEWEST]
    found, chance = shares(neighbours(trees), points.groups), p_values(trees, points, scores, judged, random)
    varied = bool(scores.any())
    return {name: _weight(group, found[name], chance.get(name), varied) for name, group in points.groups.items()}


def _told(history: Sequence[Observation], goal: Goal) -> list[tuple[Observation, float]]:
    """The trials that tell something, by number, with values of which more is better."""
    failed = [seen for seen in history if seen.status is TrialStatus.FAILED]
    valued = [
        (seen, goal.better(seen.value))
        for seen in history
        if seen.value is not None and seen.status is not TrialStatus.FAILED
    ]
    if not valued:
        return []
    worst = min(value for _, value in valued)
    return sorted([*valued, *((seen, worst) for seen in failed)], key=lambda pair: pair[0].number)


def _drawn(
    told: list[tuple[Observation, float]], space: Space, random: np.random.Generator
) -> list[tuple[Observation, float]]:
    most = min(MOST_TRIALS, max(MOST_NUMBERS // columns_of(space), 100))
    return [told[place] for place in sorted(random.permutation(len(told))[:most].tolist())]


def _scores(values: Floats) -> Floats:
    """Ranks, of mean 0 and deviation 1; equal values share theirs, and all are 0 where all values are equal."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    centred = ranks - ranks.mean()
    return np.asarray(centred / (centred.std() or 1.0), dtype=np.float64)


def _weight(group: Group, share: Share, p_value: float | None, varied: bool) -> Weight:
    used = int(np.count_nonzero(group.used))
    if p_value is None:
        return Weight(reason=_too_few(used, "used it"))
    reason = _reason(share, p_value, used) if varied else f"{NO}: the values of all {used} trials are equal."
    return Weight(importance=share.total, alone=share.alone, p_value=p_value, matters=p_value < LEVEL, reason=reason)


def _reason(share: Share, p_value: float, used: int) -> str:
    if p_value < LEVEL:
        start = f"It matters, mostly {'together with others' if share.alone < share.total / 2 else 'by itself'}"
        how = "worse than"
    else:
        start, how = NO, "about as well as"
    return (
        f"{start}: with its values taken from trials like them, the {used} trials that used it "
        f"are predicted {how} with their own (p = {p_value:.2g})."
    )


def _too_few(trials: int, what: str) -> str:
    return f"{NO}: {trials} trial{'' if trials == 1 else 's'} {what}, and it takes {FEWEST} to judge."
