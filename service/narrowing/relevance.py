"""Which parameters matter: whether the scores would be as likely if one of them made no difference."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from service.narrowing.axes import Axes
from service.narrowing.surface import Belief, Floats, Shape, fitted, likelihood

MOST_FITTED = 150
START_LENGTH, START_SIGNAL = 0.6, 1.0
LONG = 20.0


@dataclass(frozen=True)
class Relevance:
    """The likeliest shape of the function, and the chance of each parameter.

    The chance is the ratio of two likelihoods, without the parameter to with it, each with the shape that suits it best:
    small where the scores can hardly be had without it, alone or together with others; 1 where nothing speaks for it.
    """

    shape: Shape
    chances: Floats

    @classmethod
    def of(cls, axes: Axes, rows: Floats, scores: Floats, belief: Belief) -> Self:
        """From all trials, or from some that are evenly spaced in time where they are too many."""
        chosen = evenly(len(rows), MOST_FITTED)
        squares, some = axes.squares(rows[chosen]), scores[chosen]
        length = START_LENGTH * max(1.0, (len(squares) / 2) ** 0.5)
        start = Shape(np.full(len(squares), length), START_SIGNAL, belief.variance)
        shape, best = fitted(squares, some, start, belief)
        chances = [_chance(index, squares, some, shape, best, belief) for index in range(len(squares))]
        return cls(shape, np.array(chances))


def evenly(count: int, most: int) -> Floats:
    """Indices of at most so many out of a row, evenly spaced."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.intp))


def _chance(index: int, squares: Floats, scores: Floats, shape: Shape, best: float, belief: Belief) -> float:
    if shape.lengths[index] >= LONG:
        return 1.0
    others, rest = np.delete(squares, index, axis=0), shape.without(index)
    at_first = likelihood(others, scores, rest, belief)[0]
    # The others may make up for it only where it seems to matter at all.
    without = at_first if best - at_first < 1 else fitted(others, scores, rest, belief)[1]
    return min(1.0, float(np.exp(without - best)))
