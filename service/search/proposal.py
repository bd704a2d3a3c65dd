"""Where in a region a model promises the most: many points compared, and the best of them followed uphill."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from service.search.acquisition import Promise
from service.search.axes import Flags, Floats
from service.search.features import Features, Places
from service.search.gaussian import Process

STARTS = 4
CLIMB = 40
AROUND = 256
MOST_LOOKED_AT = 200
SIDE_BY_SIDE = 0.05
NEAREST, FARTHEST = 1e-3, 0.3
RADIUS = 0.1


@dataclass(frozen=True)
class Region:
    """The part of the unit cube in which candidates are drawn and followed."""

    low: Floats
    high: Floats

    @classmethod
    def everywhere(cls, parameters: int) -> Self:
        return cls(np.zeros(parameters), np.ones(parameters))

    @classmethod
    def around(cls, centre: Floats, features: Features, process: Process) -> Self:
        """A box around a point, longer where the function changes less; values that are few are all in it."""
        whole = cls.everywhere(len(centre))
        if len(features.smooth) == 0:
            return whole
        lengths = process.lengths[features.smooth_columns]
        radii = RADIUS * np.clip(lengths / np.exp(np.log(lengths).mean()), 0.5, 2.0)
        whole.low[features.smooth] = np.maximum(centre[features.smooth] - radii, 0.0)
        whole.high[features.smooth] = np.minimum(centre[features.smooth] + radii, 1.0)
        return whole

    def holds(self, units: Floats) -> Flags:
        return np.asarray(((self.low <= units) & (units <= self.high)).all(axis=1))

    def clipped(self, units: Floats) -> Floats:
        return np.clip(units, self.low, self.high)

    def drawn(self, count: int, chance: np.random.Generator) -> Floats:
        return self.low + chance.random((count, len(self.low))) * (self.high - self.low)


@dataclass(frozen=True)
class Landscape:
    """The promise of every point of a region."""

    features: Features
    process: Process
    promise: Promise
    region: Region

    def heights(self, units: Floats) -> Floats:
        return self.promise.of(*self.process.predict(self.features.columns(units)))

    def ranked(self, incumbents: Floats, candidates: int, chance: np.random.Generator) -> Iterator[Floats]:
        """Points of the unit cube, the most promising first; the first incumbent lies in the region."""
        inside = incumbents[self.region.holds(incumbents)]
        units = np.vstack([inside, self.region.drawn(candidates, chance), self._around(inside, chance)])
        heights = self.heights(units)
        for _ in range(2 if len(self._choosing) else 1):
            reached = self._with_neighbours(self._climbed(units[_best_apart(units, heights)]))
            units = np.vstack([reached, units])
            heights = np.concatenate([self.heights(reached), heights])
        yield from units[np.argsort(-heights, kind="stable")]

    @cached_property
    def _choosing(self) -> Places:
        """The numbers of the parameters of a few values."""
        return np.flatnonzero([len(axis.middles) > 1 for axis in self.features.axes.values()])

    def _around(self, incumbents: Floats, chance: np.random.Generator) -> Floats:
        """The incumbents with some of their coordinates moved, near and far, and some of their choices made anew."""
        centres = np.resize(incumbents, (AROUND, incumbents.shape[1]))
        radii = np.exp(chance.uniform(np.log(NEAREST), np.log(FARTHEST), (AROUND, 1)))
        moved = chance.random(centres.shape) < 0.5
        near = self.region.clipped(centres + moved * radii * chance.standard_normal(centres.shape))
        anew = chance.random(centres.shape) < 1 / centres.shape[1]
        chosen = np.where(anew, chance.random(centres.shape), centres)
        near[:, self._choosing] = self.region.clipped(chosen)[:, self._choosing]
        return near

    def _climbed(self, units: Floats) -> Floats:
        """The tops of the slopes on which these points lie, all found in one ascent of their sum."""
        from scipy.optimize import minimize

        smooth, among = self.features.smooth, self.features.smooth_columns
        free = self.features.active(units)[:, smooth]
        if not free.any():
            return units
        columns = self.features.columns(units)

        def depth(places: Floats) -> tuple[float, Floats]:
            height, slope = self._slope(_replaced(columns, among, free, places))
            return -float(height.sum()), -slope[:, among][free]

        bounds = np.column_stack(
            [np.broadcast_to(end[smooth], free.shape)[free] for end in (self.region.low, self.region.high)]
        )
        start = np.clip(units[:, smooth][free], *bounds.T)
        top = minimize(depth, start, jac=True, bounds=bounds, method="L-BFGS-B", options={"maxiter": CLIMB})
        return _replaced(units, smooth, free, np.clip(top.x, *bounds.T))

    def _slope(self, columns: Floats) -> tuple[Floats, Floats]:
        mean, deviation, of_mean, of_deviation = self.process.slopes(columns)
        height, by_mean, by_deviation = self.promise.slopes(mean, deviation)
        return height, by_mean[:, np.newaxis] * of_mean + by_deviation[:, np.newaxis] * of_deviation

    def _with_neighbours(self, units: Floats) -> Floats:
        """These points, and all in the region that differ from one of them in one parameter of a few values."""
        found = [units]
        axes = list(self.features.axes.values())
        for place in self._choosing:
            for middle in axes[place].middles:
                neighbour = units.copy()
                neighbour[:, place] = middle
                found.append(neighbour)
        return self.region.clipped(np.vstack(found))


def _replaced(rows: Floats, places: Places, free: Flags, values: Floats) -> Floats:
    replaced = rows.copy()
    part = replaced[:, places]
    part[free] = values
    replaced[:, places] = part
    return replaced


def _best_apart(units: Floats, heights: Floats) -> list[int]:
    """The best few that do not lie side by side."""
    chosen: list[int] = []
    for place in np.argsort(-heights, kind="stable")[:MOST_LOOKED_AT].tolist():
        if all(np.abs(units[place] - units[other]).max() > SIDE_BY_SIDE for other in chosen):
            chosen.append(place)
        if len(chosen) == STARTS:
            break
    return chosen
