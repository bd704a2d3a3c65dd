"""Student's t distribution for whole degrees of freedom, in closed form (Abramowitz & Stegun, 26.7.3-4)."""

import math
from functools import cache


def two_sided_p(t: float, freedom: int) -> float:
    """The probability of a value at least as far from 0 as t; freedom is 1 or more."""
    return max(0.0, 1.0 - _within(abs(t), freedom))


@cache
def quantile_95(freedom: int) -> float:
    """The t within which 95% lie."""
    low, high = 0.0, 13.0
    while (middle := (low + high) / 2) not in (low, high):
        low, high = (middle, high) if _within(middle, freedom) < 0.95 else (low, middle)
    return middle


def _within(t: float, freedom: int) -> float:
    """The probability of a value between -t and t."""
    angle = math.atan(t / math.sqrt(freedom))
    cosine = math.cos(angle)
    odd = freedom % 2
    term, total = (cosine if odd else 1.0), 0.0
    for step in range(1 + odd, freedom, 2):
        total += term
        term *= cosine**2 * step / (step + 1)
    total *= math.sin(angle)
    return 2 / math.pi * (angle + total) if odd else total
