"""What the finished trials of a study say, read once for all of its ranges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from service.domain.ranking import estimated_noise, interval_of, leaders
from service.domain.space import Categorical, Space
from service.domain.status import TrialStatus
from service.domain.trial import Goal, Observation
from service.narrowing.axes import Axes
from service.narrowing.ends import Side, widened
from service.narrowing.landscape import Failures, Landscape
from service.narrowing.optima import Optima
from service.narrowing.relevance import Fit
from service.narrowing.scores import failed, is_failed, valued
from service.narrowing.surface import Floats, Sample

FINISHED = frozenset({TrialStatus.COMPLETED, TrialStatus.PRUNED, TrialStatus.FAILED})
MOST_AXES = 20
MOST_NEIGHBOURS = 100
NEAR = 1.0


@dataclass(frozen=True)
class Reading:
    """Trials in or near the box, their leaders, which parameters matter, and where the best may lie."""

    trials: Sequence[Observation]
    leaders: Sequence[Observation]
    chances: Mapping[str, float]
    """By parameter, of those that were looked at: 1 where nothing speaks for its mattering."""
    optima: Optima | None
    """None where no parameter matters."""


@dataclass(frozen=True)
class _Scored:
    """Points and a score of each."""

    trials: Sequence[Observation]
    sample: Sample

    def fit(self, axes: Axes) -> Fit:
        return Fit.of(axes, _rows(axes, self.trials), self.sample)

    def associations(self, axes: Axes) -> Floats:
        """How much of the scores a parabola over each parameter alone explains."""
        places = _rows(axes, self.trials) / np.maximum(axes.choices, 1)
        return np.array([_explained(column, self.sample.scores) for column in places.T])


def nearby(space: Space, history: Sequence[Observation]) -> list[Observation]:
    """Finished trials that lie in the box, or outside by no more than its width."""
    finished = [one for one in history if one.status in FINISHED and not space.faults(one.params, elsewhere=True)]
    if not finished:
        return []
    rows = _rows(Axes(space, tuple(space.parameters)), finished)
    ranges = rows[:, [not isinstance(parameter, Categorical) for parameter in space.parameters.values()]]
    near = np.isnan(ranges) | ((ranges >= -NEAR) & (ranges <= 1 + NEAR))
    return [finished[index] for index in np.flatnonzero(near.all(axis=1))]


def read(space: Space, trials: Sequence[Observation], goal: Goal, level: float) -> Reading | None:
    """None where all trials ended alike, so that there is nothing to tell them apart by."""
    axes = Axes(space, tuple(name for name, parameter in space.parameters.items() if parameter.count != 1))
    with_value = [trial for trial in trials if not is_failed(trial)]
    values, failures = valued(with_value, goal), failed(trials)
    told = [] if values is None else [_Scored(with_value, values)]
    told += [] if failures is None else [_Scored(trials, failures[0])]
    if not axes.names or not told:
        return None
    axes = _likeliest(axes, told)
    landscape = Landscape(
        None if values is None else told[0].fit(axes),
        None if failures is None else Failures(told[-1].fit(axes), failures[1]),
    )
    chances = dict(zip(axes.names, landscape.chances.tolist(), strict=True))
    optima = _optima(axes, trials, landscape, level) if min(chances.values()) <= level else None
    return Reading(trials, _leaders(space, trials, goal), chances, optima)


def _rows(axes: Axes, trials: Sequence[Observation]) -> Floats:
    return axes.rows([trial.params for trial in trials])


def _optima(axes: Axes, trials: Sequence[Observation], landscape: Landscape, level: float) -> Optima:
    matters = np.flatnonzero(landscape.chances <= level).tolist()
    ends = [(index, side) for index in matters for side in _open_ends(axes.space, axes.names[index])]
    return Optima.of(axes, landscape, _rows(axes, trials), ends, _seed(trials))


def _open_ends(space: Space, name: str) -> list[Side]:
    parameter = space.parameters[name]
    sides: tuple[Side, Side] = ("low", "high")
    return [side for side in sides if not isinstance(parameter, Categorical) and widened(parameter, side) is not None]


def _seed(trials: Sequence[Observation]) -> int:
    """The same trials are judged alike each time."""
    numbers = repr([trial.number for trial in trials]).encode()
    return int.from_bytes(blake2b(numbers, digest_size=8).digest())


def _likeliest(axes: Axes, told: Sequence[_Scored]) -> Axes:
    """Those parameters that may matter most, where they are too many to compare points by all of them."""
    if len(axes.names) <= MOST_AXES:
        return axes
    explained = np.sum([scored.associations(axes) for scored in told], axis=0)
    kept = {axes.names[index] for index in np.argsort(-explained, kind="stable")[:MOST_AXES]}
    return Axes(axes.space, tuple(name for name in axes.names if name in kept))


def _explained(places: Floats, scores: Floats) -> float:
    used = ~np.isnan(places)
    columns = np.vander(np.clip(places[used], -NEAR, 1 + NEAR), 3)
    fit = columns @ np.linalg.lstsq(columns, scores[used], rcond=None)[0]
    return float(fit @ fit)


def _leaders(space: Space, trials: Sequence[Observation], goal: Goal) -> list[Observation]:
    """Completed trials in the box that cannot be told apart from the best of them, best first."""
    axes = Axes(space, tuple(space.parameters))
    inside = [trials[index] for index in np.flatnonzero(axes.inside(_rows(axes, trials))).tolist()]
    completed = [one for one in inside if one.status is TrialStatus.COMPLETED]
    ranked = sorted(completed, key=lambda one: (-goal.better(one.value or 0.0), one.number))
    known = all(interval_of(one.value, one.samples) is not None for one in ranked)
    noise = None if known else estimated_noise(space, ranked[:MOST_NEIGHBOURS])
    return [one for one, leads in zip(ranked, leaders(ranked, goal, noise), strict=True) if leads]
