"""A few values in place of a whole range: evenly spread on its scale, both ends included."""

import math

from service.domain.space import Categorical, Numeric, Parameter, Scalar


def most_levels(parameter: Parameter) -> int:
    """How many different values a range can be split into; for a continuum, about how many floats it has."""
    if parameter.count is not None:
        return parameter.count
    return 1 + int((parameter.high - parameter.low) / math.ulp(max(abs(parameter.low), abs(parameter.high))))


def level(parameter: Parameter, levels: int, index: int) -> Scalar:
    """The value at an index below the number of levels; a single level is the middle of the scale."""
    if isinstance(parameter, Categorical):
        return parameter.choices[index]
    if parameter.count is None:
        return parameter.from_unit(index / (levels - 1) if levels > 1 else 0.5)
    if parameter.scale == "linear" or index == levels - 1 > 0:
        return parameter.value(_share(parameter.count - 1, levels, index))
    # On a log scale the low end has more levels than values; each then takes the next value that is free.
    return parameter.value(max(index, _nearest(parameter, index / (levels - 1) if levels > 1 else 0.5)))


def _share(last: int, levels: int, index: int) -> int:
    if levels == 1:
        return last // 2
    return (2 * index * last + levels - 1) // (2 * (levels - 1))


def _nearest(parameter: Numeric, share: float) -> int:
    last = (parameter.count or 1) - 1
    start, end = parameter.position(parameter.low), parameter.position(parameter.value(last))
    real = parameter.value_at(start + share * (end - start))
    return min(math.floor((real - parameter.low) / (parameter.spacing or 1) + 0.5), last)
