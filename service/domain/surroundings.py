"""The best few trials of a box, and the part of each range that lies around them."""

import math
from collections.abc import Sequence

from service.domain.ranges import Numeric
from service.domain.space import Space
from service.domain.status import TrialStatus
from service.domain.trial import Goal, Observation

ROUNDING = 1e-9


def best_first(space: Space, history: Sequence[Observation], goal: Goal) -> list[Observation]:
    """The completed trials that lie in a box, of equal ones the lower number first."""
    ranked = sorted(
        (-goal.better(seen.value), seen.number, place)
        for place, seen in enumerate(history)
        if seen.status is TrialStatus.COMPLETED and seen.value is not None and not space.faults(seen.params)
    )
    return [history[place] for _, _, place in ranked]


def surroundings(parameter: Numeric, values: Sequence[float], margin: float) -> tuple[float, float]:
    """The ends of the part around some values of a range.

    The margin is a fraction of the width of these values on the parameter's scale; where they are
    all the same, of the width of the range.
    """
    lowest, highest = min(values), max(values)
    start, end = parameter.position(lowest), parameter.position(highest)
    whole = width(parameter)
    room = margin * (end - start if end - start > ROUNDING * whole else whole)
    first, last = parameter.position(parameter.low), parameter.position(parameter.high)
    # Not beyond the values: the way to the log scale and back may lose the last digit of one.
    low = min(lowest, parameter.value_at(max(start - room, first)))
    high = max(highest, parameter.value_at(min(end + room, last)))
    return _outwards(parameter, max(low, parameter.low), min(high, parameter.high))


def width(parameter: Numeric) -> float:
    """How much of its scale a range takes."""
    return parameter.position(parameter.high) - parameter.position(parameter.low)


def _outwards(parameter: Numeric, low: float, high: float) -> tuple[float, float]:
    """To the nearest values that the range has; a continuum has them all."""
    if parameter.spacing is None or parameter.count is None:
        return low, high
    below = math.floor((low - parameter.low) / parameter.spacing + ROUNDING)
    above = math.ceil((high - parameter.low) / parameter.spacing - ROUNDING)
    return parameter.value(max(below, 0)), parameter.value(min(above, parameter.count - 1))
