"""Where the best of a function may lie: in the box, and beyond its ends, over functions drawn from what is known."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from service.narrowing.axes import Axes
from service.narrowing.ends import Side
from service.narrowing.landscape import Landscape
from service.narrowing.relevance import evenly
from service.narrowing.surface import Floats, Indices

DRAWS = 400
POOL, NEAR = 1500, 1000
KEPT, HIGHEST = 300, 50
SURE = 2.5
ANCHORS = 12
STEPS_OF_SIZE = (0.03, 0.1, 0.3)
CHANGED = 0.2
BEYOND = (0.05, 0.12, 0.25)
OUTER = 0.1


@dataclass(frozen=True)
class Optima:
    """Points in the box, one row each, and what each drawn function is there and beyond some ends."""

    axes: Axes
    points: Floats
    heights: Floats
    beyond: dict[tuple[int, Side], Floats]
    """The most that each function reaches a little beyond an end, where it may be widened there."""

    @classmethod
    def of(cls, axes: Axes, landscape: Landscape, rows: Floats, open_ends: list[tuple[int, Side]], seed: int) -> Self:
        rng = np.random.default_rng(seed)
        points = _promising(axes, landscape, rows, rng)
        open_ends = [(index, side) for index, side in open_ends if not np.isnan(points[:, index]).all()]
        groups = [points, *(_past(axes, landscape, points, index, side) for index, side in open_ends)]
        together = np.concatenate(groups)
        nearest = np.where(axes.choices > 0, together, np.clip(together, 0, 1))
        drawn = landscape.draw(axes.columns(together), axes.columns(nearest), DRAWS, rng)
        heights, *past = np.split(drawn, np.cumsum([len(group) for group in groups])[:-1], axis=1)
        return cls(
            axes, points, heights, {end: reached.max(axis=1) for end, reached in zip(open_ends, past, strict=True)}
        )

    def best(self, index: int) -> Floats:
        """Where on a parameter each function is best, among the points that use it."""
        used = self._used(index)
        return np.asarray(self.points[used, index][self.heights[:, used].argmax(axis=1)])

    def uses(self, name: str) -> bool:
        return bool(self._used(self.axes.names.index(name)).any())

    def rises(self, index: int, side: Side) -> float:
        """The share of functions that are better beyond an end than anywhere in the box."""
        return float(np.mean(self._better_beyond(index, side)))

    def crowds(self, index: int, side: Side) -> float:
        """The share of functions that are best in the outer tenth of a range or beyond that end."""
        best = self.best(index)
        outer = best >= 1 - OUTER if side == "high" else best <= OUTER
        return float(np.mean(outer | self._better_beyond(index, side)))

    def _better_beyond(self, index: int, side: Side) -> NDArray[np.bool_]:
        if (index, side) not in self.beyond:
            return np.zeros(len(self.heights), dtype=bool)
        return np.asarray(self.beyond[index, side] > self.heights[:, self._used(index)].max(axis=1))

    def _used(self, index: int) -> NDArray[np.bool_]:
        return self._active[:, index]

    @cached_property
    def _active(self) -> NDArray[np.bool_]:
        return ~np.isnan(self.points)


def _promising(axes: Axes, landscape: Landscape, rows: Floats, rng: np.random.Generator) -> Floats:
    """Points of the box where the best may lie at all, some for each parameter that is not always used."""
    start = axes.settled(np.concatenate([axes.spread(_even(POOL, len(axes.names))), rows[axes.inside(rows)]]))
    mean, _ = landscape.predict(axes.columns(start))
    near = _moved(axes, start[np.argsort(-mean, kind="stable")[: ANCHORS * 4]], rng)
    points = np.concatenate([start, near])
    mean, deviation = landscape.predict(axes.columns(points))
    promise = mean + SURE * deviation
    chosen = [_thinned(promise, mean, group) for group in np.unique(~np.isnan(points), axis=1).T if group.any()]
    return points[np.unique(np.concatenate(chosen))]


def _thinned(promise: Floats, mean: Floats, group: NDArray[np.bool_]) -> Indices:
    """Of a group of points the highest, and some of all that may be as high, spread evenly over them.

    To take those that promise most would leave the best no choice where a function is all but flat.
    """
    order = np.flatnonzero(group)
    likely = order[promise[order] >= mean[order].max()]
    highest = order[np.argsort(-mean[order], kind="stable")[:HIGHEST]]
    return np.union1d(highest, likely[evenly(len(likely), KEPT)] if len(likely) else highest)


def _even(count: int, parameters: int) -> Floats:
    """Points that cover the unit cube evenly: a Kronecker sequence with powers of the generalised golden ratio."""
    ratio = 2.0
    for _ in range(30):
        ratio = (1 + ratio) ** (1 / (parameters + 1))
    steps = ratio ** -np.arange(1.0, parameters + 1)
    return np.asarray((0.5 + np.arange(1, count + 1)[:, None] * steps) % 1)


def _moved(axes: Axes, points: Floats, rng: np.random.Generator) -> Floats:
    """Points near some of the given ones, nearer and farther, and with other choices now and then."""
    origins = points[rng.integers(len(points), size=NEAR)]
    sizes = rng.choice(STEPS_OF_SIZE, size=(NEAR, 1))
    elsewhere = axes.spread(rng.random(origins.shape))
    fresh = np.isnan(origins) | ((axes.choices > 0) & (rng.random(origins.shape) < CHANGED))
    moved = origins + np.where(axes.choices > 0, 0.0, sizes * rng.standard_normal(origins.shape))
    return axes.settled(np.where(fresh, elsewhere, moved))


def _past(axes: Axes, landscape: Landscape, points: Floats, index: int, side: Side) -> Floats:
    """The best points with one parameter moved a little beyond an end of its range."""
    using = points[~np.isnan(points[:, index])]
    mean, _ = landscape.predict(axes.columns(using))
    best = using[np.argsort(-mean, kind="stable")[:ANCHORS]]
    past = np.repeat(best, len(BEYOND), axis=0)
    steps = np.tile(BEYOND, len(best))
    past[:, index] = 1 + steps if side == "high" else -steps
    return past
