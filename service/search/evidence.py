"""What finished trials tell a model: their points and one score each, of mean 0 and deviation 1."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from service.domain.space import Params
from service.domain.status import TrialStatus
from service.domain.trial import Goal, Observation

MOST_KNOWN = 300
TOLERANCE = 5.0


@dataclass(frozen=True)
class Evidence:
    """Points and scores, of which more is better; failed trials score as the worst that finished."""

    params: tuple[Params, ...]
    scores: tuple[float, ...]

    @classmethod
    def of(cls, history: Sequence[Observation], goal: Goal) -> Self:
        """Of all trials, or of the best half and the latest where they are too many for a model."""
        valued = [seen for seen in history if seen.value is not None and seen.status is not TrialStatus.FAILED]
        if not valued:
            return cls((), ())
        failed = [seen for seen in history if seen.status is TrialStatus.FAILED]
        values = np.array([goal.better(seen.value or 0.0) for seen in valued])
        told = [*zip(valued, values.tolist(), strict=True), *((seen, float(values.min())) for seen in failed)]
        kept = _most_telling(sorted(told, key=lambda pair: pair[0].number))
        return cls(tuple(seen.params for seen, _ in kept), tuple(_scores(np.array([value for _, value in kept]))))


def _most_telling(told: list[tuple[Observation, float]]) -> list[tuple[Observation, float]]:
    if len(told) <= MOST_KNOWN:
        return told
    best = sorted(told, key=lambda pair: -pair[1])[: MOST_KNOWN // 2]
    numbers = {seen.number for seen, _ in best}
    rest = [pair for pair in told if pair[0].number not in numbers]
    return best + rest[len(best) - MOST_KNOWN :]


def _scores(values: NDArray[np.float64]) -> list[float]:
    """Values far below the median are cut, lest one diverged loss flatten all that matters; any size is safe."""
    # Halved, because the difference of two numbers near the largest that there are is infinite.
    halves = values / 2
    middle, top = float(np.median(halves)), float(halves.max())
    if top > middle:
        halves = np.maximum(halves, middle - TOLERANCE * (top - middle))
    width = halves.max() - halves.min()
    if width == 0:
        return [0.0] * len(values)
    shares = (halves - halves.min()) / width
    scores: list[float] = ((shares - shares.mean()) / shares.std()).tolist()
    return scores
