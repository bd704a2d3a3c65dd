"""A random forest, opened so that its trees can be asked who taught them and what they say of whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from service.importance.points import Floats, Mask, Numbers, Rows

SMALLEST_LEAF = 3


@dataclass(frozen=True)
class Tree:
    """One tree of scikit-learn's, with how often each trial was drawn to grow it."""

    model: Any
    drawn: Numbers
    leaf_of: Numbers
    """The leaf in which each trial lies."""

    @cached_property
    def splits(self) -> frozenset[int]:
        """The columns that it asks for."""
        return frozenset(column for column in self.model.feature.tolist() if column >= 0)

    @cached_property
    def ends(self) -> Numbers:
        """The nodes that are leaves."""
        return np.flatnonzero(self.model.children_left < 0)

    @cached_property
    def values(self) -> Floats:
        """What each node predicts."""
        return np.asarray(self.model.value[:, 0, 0], dtype=np.float64)

    @cached_property
    def weights(self) -> Floats:
        """The part that each trial has in what its leaf predicts."""
        in_leaf = np.bincount(self.leaf_of, weights=self.drawn, minlength=self.model.node_count)
        return np.asarray(self.drawn / in_leaf[self.leaf_of], dtype=np.float64)

    @property
    def unseen(self) -> Mask:
        """The trials that had no part in it."""
        return np.asarray(self.drawn == 0)

    def asks(self, columns: slice) -> bool:
        return not self.splits.isdisjoint(range(columns.start, columns.stop))

    def leaves(self, rows: Rows) -> Numbers:
        return np.asarray(self.model.apply(rows), dtype=np.intp)


def grown(rows: Rows, scores: Floats, trees: int, seed: int, smallest_leaf: int = SMALLEST_LEAF) -> Sequence[Tree]:
    """A forest that predicts scores from rows; the same for the same seed."""
    # More than a second to import, for which a server that nobody asks should not wait.
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(trees, min_samples_leaf=smallest_leaf, random_state=seed, n_jobs=1)
    forest.fit(rows, scores)
    drawn = [np.bincount(sample, minlength=len(rows)) for sample in forest.estimators_samples_]
    models = [estimator.tree_ for estimator in forest.estimators_]
    return [Tree(model, times, model.apply(rows)) for model, times in zip(models, drawn, strict=True)]
