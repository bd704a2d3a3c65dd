"""How likely chance alone would let a parameter seem to matter as much as it does.

Each trial is predicted by the trees that have not seen it, once with its own value of the parameter
and once with the values of the trials that are most like it in all the others. Where the parameter
does not matter given the others, its own value is one among those, and

    T = sum_i e_i d_i,    d_i = f(own value) - f_i,    e_i = score_i - f_i,    f_i = mean over all the values,

has mean 0 and the variance that drawing among the values gives. Swapping among like trials only is
the local permutation of Runge, "Conditional independence testing based on a nearest-neighbor
estimator of conditional mutual information" (AISTATS 2018): a search that learns, or a range that
narrows, ties parameters that have nothing to do with each other, and a swap among all trials would
take that tie for an effect.

Every pair of trials enters T twice, each predicting the other: where w_ik is the weight of trial k in
d_i, the variance is greater by the share sum w_ik w_ki e_i^2 e_k^2 / sum w_ik^2 e_i^2 e_k^2, up to
double. It is taken from at most `WITNESSES` trials.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from service.importance.forest import Tree
from service.importance.points import Floats, Group, Mask, Numbers, Points

ALIKE = 16
WITNESSES = 200
TIES = 1e-9
NOTHING = 1e-12


@dataclass(frozen=True)
class _Swap:
    """The trials that use a parameter, and for each the trials whose values it is given, itself first."""

    group: Group
    trials: Numbers
    givers: Numbers
    witnesses: Numbers
    """Places among the trials."""


def p_values(
    trees: Sequence[Tree], points: Points, scores: Floats, names: Sequence[str], random: np.random.Generator
) -> dict[str, float]:
    """For each parameter that is named, corrected for their number after Holm."""
    distances = points.distances()
    distances += TIES * random.random(distances.shape)
    found = {}
    for name in names:
        swap = _swap(points.groups[name], distances - points.distances(name), random)
        found[name] = math.erfc(_deviations(trees, points, scores, swap) / math.sqrt(2)) / 2
    return corrected(found)


def corrected(found: Mapping[str, float]) -> dict[str, float]:
    """Holm's correction: below a level by chance in any of them no more often than the level says."""
    largest, told = 0.0, {}
    for place, name in enumerate(sorted(found, key=found.__getitem__)):
        largest = max(largest, min(1.0, found[name] * (len(found) - place)))
        told[name] = largest
    return told


def _swap(group: Group, distances: Floats, random: np.random.Generator) -> _Swap:
    trials = np.flatnonzero(group.used)
    among = distances[np.ix_(trials, trials)]
    np.fill_diagonal(among, np.inf)
    others = min(ALIKE, len(trials)) - 1
    alike = np.argpartition(among, others - 1, axis=1)[:, :others]
    givers = np.column_stack([trials, trials[alike]])
    return _Swap(group, trials, givers, np.sort(random.permutation(len(trials))[:WITNESSES]))


def _deviations(trees: Sequence[Tree], points: Points, scores: Floats, swap: _Swap) -> float:
    """By how many of its standard deviations T lies above 0."""
    predicted, influence = _predictions(trees, points, swap)
    mean = predicted.mean(axis=1, keepdims=True)
    errors = scores[swap.trials] - mean[:, 0]
    terms = errors[:, None] * (predicted - mean)
    variance = float(terms.var(axis=1).sum()) * (1 + _counted_twice(influence, errors[swap.witnesses]))
    return float(terms[:, 0].sum()) / math.sqrt(variance) if variance > NOTHING else -math.inf


def _counted_twice(influence: Floats, errors: Floats) -> float:
    sizes = np.outer(np.square(errors), np.square(errors))
    once = float((np.square(influence) * sizes).sum())
    return max(0.0, float((influence * influence.T * sizes).sum()) / once) if once > 0 else 0.0


def _predictions(trees: Sequence[Tree], points: Points, swap: _Swap) -> tuple[Floats, Floats]:
    """What trees that have not seen a trial predict with each value given to it, and each witness's weight in that."""
    predicted = np.zeros(swap.givers.shape)
    influence = np.zeros((len(swap.witnesses), len(swap.witnesses)))
    asked = np.zeros(len(swap.trials))
    for tree in trees:
        unseen = tree.unseen[swap.trials]
        asked += unseen
        if tree.asks(swap.group.columns):
            leaves = _leaves(tree, points, swap, unseen)
            predicted[unseen] += tree.values[leaves]
            _add_influence(influence, tree, swap, leaves, unseen)
        else:
            predicted[unseen] += tree.values[tree.leaf_of[swap.trials[unseen]]][:, None]
    asked = np.maximum(asked, 1)
    return predicted / asked[:, None], influence / asked[swap.witnesses, None]


def _leaves(tree: Tree, points: Points, swap: _Swap, unseen: Mask) -> Numbers:
    givers = swap.givers[unseen]
    rows = np.repeat(points.rows[swap.trials[unseen]], givers.shape[1], axis=0)
    rows[:, swap.group.columns] = points.rows[givers.ravel(), swap.group.columns]
    return tree.leaves(rows).reshape(givers.shape)


def _add_influence(influence: Floats, tree: Tree, swap: _Swap, leaves: Numbers, unseen: Mask) -> None:
    """Add the weights in f(own value) less the mean of those in f(each value)."""
    told = unseen[swap.witnesses]
    mine = leaves[(np.cumsum(unseen) - 1)[swap.witnesses[told]]]
    nodes = tree.model.node_count
    cells = np.arange(len(mine))[:, None] * nodes + mine
    share = -np.bincount(cells.ravel(), minlength=len(mine) * nodes).reshape(len(mine), nodes) / leaves.shape[1]
    share[np.arange(len(mine)), mine[:, 0]] += 1
    witnesses = swap.trials[swap.witnesses]
    influence[told] += share[:, tree.leaf_of[witnesses]] * tree.weights[witnesses]
