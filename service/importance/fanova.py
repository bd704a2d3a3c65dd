"""What each parameter contributes to the variance of a forest over the whole box, alone and with others.

Functional analysis of variance after Hutter, Hoos and Leyton-Brown, "An Efficient Approach for
Assessing Hyperparameter Importance" (ICML 2014). A tree is a sum over its leaves, each a value c on
a box. Where w_j[l] is the share of parameter j's range that the box of leaf l has, and O_j[l, m] the
share that those of l and m have in common, the variances of its conditional means are sums over pairs
of leaves, and none has to be sampled:

    all        V    = sum_lm c_l c_m prod_k O_k[l, m]                             (c less its mean)
    alone      V_j  = sum_lm a_l a_m O_j[l, m],               a_l = c_l prod_(k != j) w_k[l]
    without    V_-j = sum_lm b_l b_m prod_(k != j) O_k[l, m], b_l = c_l w_j[l]

V_j / V is the main effect, 1 - V_-j / V the total effect: with every interaction that j has a part in.

Unlike there, l goes over the leaves of one tree and m over those of another, and the sums are added up
over pairs of trees before they are divided. They are covariances then, in which what a tree owes to
its own draw of the trials cancels out; of a tree with itself they are its variances.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from service.importance.boxes import Boxes
from service.importance.forest import Tree
from service.importance.points import Floats, Group

NOTHING = 1e-12


@dataclass(frozen=True, slots=True)
class Share:
    """Shares of the variance, from 0 to 1."""

    total: float
    alone: float


@dataclass(frozen=True, slots=True)
class _Parts:
    """What two trees have in common: all of it, and of each parameter in all and alone."""

    every: float
    total: Mapping[str, float]
    alone: Mapping[str, float]


def neighbours(trees: Sequence[Tree]) -> list[tuple[Tree, Tree]]:
    """Each tree with the next, in a ring."""
    return list(zip(trees, [*trees[1:], *trees[:1]], strict=True))


def shares(pairs: Iterable[tuple[Tree, Tree]], groups: Mapping[str, Group]) -> dict[str, Share]:
    """Each parameter's shares; 0 where the trees do not vary together."""
    told = [parts for one, other in pairs if (parts := _parts(one, other, groups)) is not None]
    every = sum(parts.every for parts in told)
    return {
        name: Share(
            _share(sum(parts.total.get(name, 0.0) for parts in told), every),
            _share(sum(parts.alone.get(name, 0.0) for parts in told), every),
        )
        for name in groups
    }


def _share(part: float, every: float) -> float:
    return min(max(part / every, 0.0), 1.0) if every > NOTHING else 0.0


def _parts(one: Tree, other: Tree, groups: Mapping[str, Group]) -> _Parts | None:
    """None where neither tree asks for anything."""
    asked = {name: group for name, group in groups.items() if one.asks(group.columns) or other.asks(group.columns)}
    if not asked:
        return None
    columns, chosen = sum(group.width for group in groups.values()), list(asked.values())
    boxes, others = Boxes.of(one, columns), Boxes.of(other, columns)
    common = boxes.common(others, chosen)
    left, right = _Side.of(one, boxes.widths(chosen)), _Side.of(other, others.widths(chosen))
    without = _products_of_others(common)
    every = float(left.values @ (common[0] * without[0]) @ right.values)
    alone = _products(left.values * left.rest, common, right.values * right.rest)
    left_out = _products(left.values * left.widths, without, right.values * right.widths)
    return _Parts(
        every, dict(zip(asked, (every - left_out).tolist(), strict=True)), dict(zip(asked, alone.tolist(), strict=True))
    )


@dataclass(frozen=True, slots=True)
class _Side:
    """A tree's leaves: their values, and for each parameter the widths of their boxes in it and in all others."""

    values: Floats
    widths: Floats
    rest: Floats

    @classmethod
    def of(cls, tree: Tree, widths: Floats) -> "_Side":
        values = tree.values[tree.ends]
        return cls(values - np.prod(widths, axis=0) @ values, widths, _products_of_others(widths))


def _products(left: Floats, middle: Floats, right: Floats) -> Floats:
    return np.asarray(np.einsum("jl,jlm,jm->j", left, middle, right, optimize=True))


def _products_of_others(factors: Floats) -> Floats:
    """For each factor the product of all the others."""
    one = np.ones_like(factors[:1])
    before = np.cumprod(np.concatenate([one, factors[:-1]]), axis=0)
    after = np.cumprod(np.concatenate([one, factors[:0:-1]]), axis=0)[::-1]
    return np.asarray(before * after)
