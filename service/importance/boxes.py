"""The leaves of a tree as boxes of the space, and what two trees' boxes have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from service.importance.forest import Tree
from service.importance.points import Floats, Group


@dataclass(frozen=True)
class Boxes:
    """The two ends of each leaf's box, in every column."""

    low: Floats
    high: Floats

    @classmethod
    def of(cls, tree: Tree, columns: int) -> Self:
        model = tree.model
        low, high = np.zeros((model.node_count, columns)), np.ones((model.node_count, columns))
        # A node is numbered before its children.
        for node in np.flatnonzero(model.children_left >= 0):
            left, right, column = model.children_left[node], model.children_right[node], model.feature[node]
            low[[left, right]], high[[left, right]] = low[node], high[node]
            high[left, column] = low[right, column] = model.threshold[node]
        return cls(low[tree.ends], high[tree.ends])

    def widths(self, groups: Sequence[Group]) -> Floats:
        """Which share of each parameter's range each box has."""
        return np.array([self._width(group) for group in groups])

    def common(self, other: "Boxes", groups: Sequence[Group]) -> Floats:
        """Which share of each parameter's range each of these boxes has in common with each of the others."""
        return np.array([self._common(other, group) for group in groups])

    def _width(self, group: Group) -> Floats:
        if group.is_choice:
            return np.asarray(self._allowed(group).mean(axis=1))
        return np.asarray(self.high[:, group.start] - self.low[:, group.start])

    def _common(self, other: "Boxes", group: Group) -> Floats:
        if group.is_choice:
            return np.asarray(self._allowed(group) @ other._allowed(group).T / group.width)
        low = np.maximum.outer(self.low[:, group.start], other.low[:, group.start])
        high = np.minimum.outer(self.high[:, group.start], other.high[:, group.start])
        return np.asarray(np.maximum(0.0, high - low))

    def _allowed(self, group: Group) -> Floats:
        """1 for each choice that lies in a box: its own column is not held below, no other one above."""
        required = self.low[:, group.columns] > 0
        of_others = required.sum(axis=1, keepdims=True) - required
        return np.asarray((self.high[:, group.columns] == 1) & (of_others == 0), dtype=np.float64)
