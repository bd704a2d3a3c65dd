"""What becomes of one range of a parameter that matters, by where the best may lie."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from service.domain.rounds import RangeEvidence, Verdict
from service.domain.space import Categorical, Numeric, Parameter
from service.domain.status import TrialStatus
from service.domain.trial import Observation
from service.narrowing import reasons
from service.narrowing.ends import Side, between, widened
from service.narrowing.optima import Optima
from service.narrowing.surface import Floats

NOTICEABLE = 0.2
MARGIN = 0.05
ROOM = 0.15
RISING = 0.25
CROWDED = 0.8


@dataclass(frozen=True)
class Case:
    """One parameter that matters, its leaders and all trials, and where the best may lie."""

    name: str
    leaders: Sequence[Observation]
    trials: Sequence[Observation]
    optima: Optima
    confidence: float

    @property
    def axis(self) -> int:
        return self.optima.axes.names.index(self.name)


def keep(parameter: Parameter, trials: Sequence[Observation], reason: str, confidence: float) -> RangeEvidence:
    return _evidence(Verdict.KEEP, parameter, trials, reason, confidence)


def judge_range(parameter: Numeric, case: Case) -> RangeEvidence:
    best = case.optima.best(case.axis)
    start, end = _likely(best, case.confidence)
    side = _rising_side(case)
    where = reasons.leading(case.name, parameter, case.leaders)
    if side is not None and (wider := widened(parameter, side)) is not None:
        proposed = _one_end_in(parameter, wider, side, start, end)
        reason = reasons.rises(where, proposed, parameter, side)
        return _evidence(Verdict.WIDEN, proposed, case.leaders, reason, case.optima.crowds(case.axis, side))
    proposed = between(parameter, start, end)
    share = _share(proposed, parameter)
    if share > 1 - NOTICEABLE:
        low, high = (parameter.from_unit(float(place)) for place in (best.min(), best.max()))
        return keep(parameter, case.leaders, reasons.anywhere(where, low, high), _here(case))
    reason = reasons.cut(where, proposed, share, _failures(proposed, case))
    within = float(np.mean((best >= parameter.to_unit(proposed.low)) & (best <= parameter.to_unit(proposed.high))))
    return _evidence(Verdict.NARROW, proposed, case.leaders, reason, within)


def judge_choices(parameter: Categorical, case: Case) -> RangeEvidence:
    best = case.optima.best(case.axis)
    shares = [float(np.mean(best == index)) for index in range(parameter.count)]
    dropped = _unlikely(shares, 1 - case.confidence)
    where = reasons.leading(case.name, parameter, case.leaders)
    if not dropped:
        return keep(parameter, case.leaders, reasons.any_choice(where), 1.0)
    left = [choice for index, choice in enumerate(parameter.choices) if index not in dropped]
    reason = reasons.dropped(where, left)
    confidence = sum(share for index, share in enumerate(shares) if index not in dropped)
    return _evidence(Verdict.NARROW, replace(parameter, choices=left), case.leaders, reason, min(confidence, 1.0))


def _likely(best: Floats, confidence: float) -> tuple[float, float]:
    """Where the best lies but for the unlikeliest part at each end, with room for what the model gets wrong.

    The room is a part of what is left, so that trials which have been judged once do not cut off more
    when they are judged again, and at least a part of the range in force.
    """
    start, end = np.quantile(best, [(1 - confidence) / 2, (1 + confidence) / 2]).tolist()
    room = max(MARGIN, ROOM * (end - start))
    return start - room, end + room


def _rising_side(case: Case) -> Side | None:
    sides: tuple[Side, Side] = ("low", "high")
    found = [side for side in sides if _rises(case, side)]
    return max(found, key=lambda side: case.optima.rises(case.axis, side), default=None)


def _here(case: Case) -> float:
    return 1 - max(case.optima.rises(case.axis, "low"), case.optima.rises(case.axis, "high"))


def _rises(case: Case, side: Side) -> bool:
    return case.optima.rises(case.axis, side) >= RISING and case.optima.crowds(case.axis, side) >= CROWDED


def _one_end_in(parameter: Numeric, wider: Numeric, side: Side, start: float, end: float) -> Numeric:
    """The wider range without the part at the other end that the best is not in, where that is worth it."""
    if side == "high" and start > NOTICEABLE:
        return wider.within(between(parameter, start, 1).low, wider.high)
    if side == "low" and end < 1 - NOTICEABLE:
        return wider.within(wider.low, between(parameter, 0, end).high)
    return wider


def _share(proposed: Numeric, parameter: Numeric) -> float:
    if proposed.count is not None and parameter.count is not None:
        return proposed.count / parameter.count
    return (proposed.position(proposed.high) - proposed.position(proposed.low)) / (
        parameter.position(parameter.high) - parameter.position(parameter.low)
    )


def _failures(proposed: Numeric, case: Case) -> str:
    using = [one for one in case.trials if case.name in one.params]
    outside = [one for one in using if proposed.fault(one.params[case.name]) is not None]
    return reasons.failures(sum(one.status is TrialStatus.FAILED for one in outside), len(outside))


def _unlikely(shares: Sequence[float], most: float) -> set[int]:
    """The choices that are best least often, as many as hold no more than so much together."""
    dropped: set[int] = set()
    held = 0.0
    for index in sorted(range(len(shares)), key=lambda index: (shares[index], index)):
        held += shares[index]
        if held > most:
            return dropped
        dropped.add(index)
    return dropped


def _evidence(
    verdict: Verdict, proposed: Parameter, trials: Sequence[Observation], reason: str, confidence: float
) -> RangeEvidence:
    numbers = tuple(one.number for one in trials)
    return RangeEvidence(verdict=verdict, proposed=proposed, reason=reason, trials=numbers, confidence=confidence)
