"""Which parameters matter: whether the scores would be as likely if one of them made no difference."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from service.narrowing.axes import Axes
from service.narrowing.likelihood import fitted, left_out, likelihood
from service.narrowing.surface import Floats, Indices, Sample, Shape, Surface

MOST_FITTED = 150
MOST_KNOWN = 400
START_LENGTH, START_SIGNAL = 0.6, 1.0
LONG = 20.0
LEVELS = 4
SHRINKAGE = 2.0
PASSES = 2
TELLING = 2.0


@dataclass(frozen=True)
class Fit:
    """The likeliest surface through scores, and the chance of each parameter.

    The chance is the ratio of two likelihoods, without the parameter to with it, each with the shape that
    suits it best: small where the scores can hardly be had without it, alone or together with others; 1
    where nothing speaks for it. It bounds how often a parameter without any effect would look so telling.
    """

    surface: Surface
    chances: Floats

    @classmethod
    def of(cls, axes: Axes, rows: Floats, sample: Sample) -> Self:
        """From all rows, or from some that are evenly spaced in time where they are too many."""
        known = evenly(len(rows), MOST_KNOWN)
        rows, sample = rows[known], sample.of(known)
        few = evenly(len(rows), MOST_FITTED)
        squares = axes.squares(rows[few])
        shape, best = fitted(squares, sample.of(few), _start(len(squares), sample))
        for _ in range(PASSES if sample.uneven else 0):
            sample = replace(sample, loudness=_loudness(squares, few, shape, axes, rows, sample))
            shape, best = fitted(squares, sample.of(few), shape)
        chances = [_chance(index, squares, sample.of(few), shape, best) for index in range(len(squares))]
        return cls(Surface.through(shape, axes.owners, axes.columns(rows), sample), np.array(chances))


def evenly(count: int, most: int) -> Indices:
    """Indices of at most so many out of a row, evenly spaced."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.intp))


def _start(parameters: int, sample: Sample) -> Shape:
    length = START_LENGTH * max(1.0, (parameters / 2) ** 0.5)
    return Shape(np.full(parameters, length), START_SIGNAL, sample.belief.variance)


def _loudness(squares: Floats, few: Indices, shape: Shape, axes: Axes, rows: Floats, sample: Sample) -> Floats:
    """How loud the noise is at the level of each score: collapsed trainings all end alike, good ones do not.

    From how far off scores are from what the others say of them, at a few levels.
    """
    said, off = left_out(squares, sample.of(few), shape)
    groups = np.array_split(np.argsort(said, kind="stable"), min(LEVELS, len(said)))
    factors = [(np.square(off[group]).sum() + SHRINKAGE) / (len(group) + SHRINKAGE) for group in groups]
    columns = axes.columns(rows)
    levels, _ = Surface.through(shape, axes.owners, columns, sample).predict(columns)
    return np.asarray(sample.loudness * np.interp(levels, [said[group].mean() for group in groups], factors))


def _chance(index: int, squares: Floats, sample: Sample, shape: Shape, best: float) -> float:
    if shape.lengths[index] >= LONG:
        return 1.0
    others, rest = np.delete(squares, index, axis=0), shape.without(index)
    at_first = likelihood(others, sample, rest)[0]
    # The others can only make up for some of it: there is no need to try where it hardly seems to matter.
    without = at_first if best - at_first < TELLING else fitted(others, sample, rest)[1]
    return min(1.0, float(np.exp(without - best)))
