"""What the finished trials of a study say, read once for all of its ranges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from service.domain.ranking import estimated_noise, leaders
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
MOST_NEIGHBOURS = 200
NEAR = 1.0


@dataclass(frozen=True)
class Reading:
    """Trials in or near the box, their leaders, which parameters matter, and where the best may lie."""

    space: Space
    trials: Sequence[Observation]
    leaders: Sequence[Observation]
    chances: Mapping[str, float]
    """By parameter, of those that were looked at: 1 where nothing speaks for its mattering."""
    optima: Optima | None
    """None where no parameter matters."""


def nearby(space: Space, history: Sequence[Observation]) -> list[Observation]:
    """Finished trials that lie in the box, or outside by no more than its width."""
    finished = [one for one in history if one.status in FINISHED and not space.faults(one.params, elsewhere=True)]
    rows = Axes(space, tuple(space.parameters)).rows([one.params for one in finished])
    if not finished:
        return []
    ranges = rows[:, [not isinstance(parameter, Categorical) for parameter in space.parameters.values()]]
    near = (np.isnan(ranges) | ((ranges >= -NEAR) & (ranges <= 1 + NEAR))).all(axis=1)
    return [one for one, is_near in zip(finished, near.tolist(), strict=True) if is_near]


def read(space: Space, trials: Sequence[Observation], goal: Goal, level: float) -> Reading | None:
    """None where all trials ended alike, so that there is nothing to tell them apart by."""
    with_value = [trial for trial in trials if not is_failed(trial)]
    values, failures = valued(with_value, goal), failed(trials)
    every = Axes(space, tuple(name for name, parameter in space.parameters.items() if parameter.count != 1))
    if not every.names or (values is None and failures is None):
        return None
    axes = _likeliest(every, trials, with_value, values, failures)
    landscape = Landscape(
        values and Fit.of(axes, axes.rows([one.params for one in with_value]), values),
        failures and Failures(Fit.of(axes, axes.rows([one.params for one in trials]), failures[0]), failures[1]),
    )
    chances = dict(zip(axes.names, landscape.chances.tolist(), strict=True))
    optima = _optima(axes, trials, landscape, level) if min(chances.values()) <= level else None
    return Reading(space, trials, _leaders(space, trials, goal), chances, optima)


def _optima(axes: Axes, trials: Sequence[Observation], landscape: Landscape, level: float) -> Optima:
    ends = [
        (index, side)
        for index, name in enumerate(axes.names)
        if landscape.chances[index] <= level
        for side in _open_ends(axes, name)
    ]
    rows = axes.rows([one.params for one in trials])
    return Optima.of(axes, landscape, rows, ends, _seed(rows, trials))


def _open_ends(axes: Axes, name: str) -> list[Side]:
    parameter = axes.space.parameters[name]
    if isinstance(parameter, Categorical):
        return []
    sides: tuple[Side, Side] = ("low", "high")
    return [side for side in sides if widened(parameter, side) is not None]


def _seed(rows: Floats, trials: Sequence[Observation]) -> int:
    """The same trials are judged alike each time."""
    said = repr((rows.round(9).tolist(), [one.number for one in trials]))
    return int.from_bytes(blake2b(said.encode(), digest_size=8).digest())


def _likeliest(
    axes: Axes,
    trials: Sequence[Observation],
    with_value: Sequence[Observation],
    values: Sample | None,
    failures: tuple[Sample, float] | None,
) -> Axes:
    """Those parameters that may matter most, where they are too many to compare points by all of them."""
    if len(axes.names) <= MOST_AXES:
        return axes
    order = np.argsort(
        -_associations(axes, with_value, values) - _associations(axes, trials, failures and failures[0]), kind="stable"
    )
    kept = {axes.names[index] for index in order[:MOST_AXES]}
    return Axes(axes.space, tuple(name for name in axes.names if name in kept))


def _associations(axes: Axes, trials: Sequence[Observation], sample: Sample | None) -> Floats:
    if sample is None:
        return np.zeros(len(axes.names))
    places = axes.rows([one.params for one in trials]) / np.maximum(axes.choices, 1)
    return np.array([_association(column, sample.scores) for column in places.T])


def _association(places: Floats, scores: Floats) -> float:
    """How much of the scores a parabola over one parameter explains."""
    used = ~np.isnan(places)
    if used.sum() < 4:
        return 0.0
    columns = np.vander(np.clip(places[used], -1, 2), 3)
    values = scores[used] - scores[used].mean()
    fit = columns @ np.linalg.lstsq(columns, values, rcond=None)[0]
    return float(fit @ fit)


def _leaders(space: Space, trials: Sequence[Observation], goal: Goal) -> list[Observation]:
    """Completed trials in the box that cannot be told apart from the best of them, best first."""
    inside = [one for one in trials if one.status is TrialStatus.COMPLETED and not space.faults(one.params)]
    ranked = sorted(inside, key=lambda one: (-goal.better(one.value or 0.0), one.number))
    noise = estimated_noise(space, ranked[:MOST_NEIGHBOURS])
    return [one for one, leads in zip(ranked, leaders(ranked, goal, noise), strict=True) if leads]
