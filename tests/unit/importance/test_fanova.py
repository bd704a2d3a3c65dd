"""The decomposition of a forest's variance, against functions whose own is known."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from service.domain.space import Categorical, FloatRange, Params, Space
from service.importance.fanova import Share, neighbours, shares
from service.importance.forest import Tree, grown
from service.importance.points import Points

Floats = NDArray[np.float64]
UNIT = FloatRange(low=0.0, high=1.0)


def random_points(count: int, names: str, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).random((count, len(names)))


def points_of(x: Floats, names: str) -> Points:
    told: list[Params] = [dict(zip(names, row, strict=True)) for row in x.tolist()]
    return Points.of(Space(dict.fromkeys(names, UNIT)), told, np.random.default_rng(0))


def decomposed(function: Callable[..., Floats], names: str, count: int = 3_000, trees: int = 10) -> dict[str, Share]:
    """The shares in values that nothing disturbs."""
    x = random_points(count, names)
    points = points_of(x, names)
    return shares(neighbours(grown(points.rows, function(*x.T), trees, seed=0)), points.groups)


def assert_shares(found: dict[str, Share], within: float, **expected: tuple[float, float]) -> None:
    assert found.keys() == expected.keys()
    for name, (total, alone) in expected.items():
        assert found[name].total == pytest.approx(total, abs=within), name
        assert found[name].alone == pytest.approx(alone, abs=within), name


def test_steps_that_a_tree_can_follow_are_decomposed_exactly() -> None:
    x = np.array([(a, b) for a in (0.25, 0.75) for b in (0.25, 0.75)] * 20)
    points = points_of(x, "ab")
    both = (x[:, 0] > 0.5) & (x[:, 1] > 0.5)
    found = shares(neighbours(grown(points.rows, both.astype(float), 5, seed=0)), points.groups)
    assert_shares(found, 1e-12, a=(2 / 3, 1 / 3), b=(2 / 3, 1 / 3))


def test_a_choice_weighs_as_many_parts_of_its_range_as_there_are_choices() -> None:
    space = Space({"c": Categorical(choices=["x", "y", "z"]), "n": UNIT})
    told: list[Params] = [{"c": choice, "n": n} for choice in "xyz" for n in (0.25, 0.75)] * 20
    points = Points.of(space, told, np.random.default_rng(0))
    scores = np.array([float(one["c"] == "x" and one["n"] == 0.75) for one in told])
    found = shares(neighbours(grown(points.rows, scores, 5, seed=0)), points.groups)
    # Of mean 1/6: V = 5/36, V_c = 2/36 and V_n = 1/36.
    assert_shares(found, 1e-12, c=(4 / 5, 2 / 5), n=(3 / 5, 1 / 5))


def test_additive_effects_are_alone() -> None:
    found = decomposed(lambda a, b, c: a + 2 * b, "abc")
    assert_shares(found, 0.03, a=(0.2, 0.2), b=(0.8, 0.8), c=(0.0, 0.0))


def test_what_matters_only_with_another_has_no_share_alone() -> None:
    found = decomposed(lambda a, b, c: np.sign(a - 0.5) * np.sign(b - 0.5), "abc")
    assert_shares(found, 0.03, a=(1.0, 0.0), b=(1.0, 0.0), c=(0.0, 0.0))


def test_ishigamis_function_has_its_known_shares() -> None:
    def ishigami(a: Floats, b: Floats, c: Floats) -> Floats:
        x, y, z = (math.pi * (2 * unit - 1) for unit in (a, b, c))
        return np.sin(x) + 7 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x)

    found = decomposed(ishigami, "abc")
    assert_shares(found, 0.03, a=(0.5576, 0.3139), b=(0.4424, 0.4424), c=(0.2437, 0.0))


def test_the_sums_over_leaves_are_the_integrals_of_the_tree() -> None:
    space = Space({"c": Categorical(choices=[1, 2, 3, 4]), "n": UNIT})
    random = np.random.default_rng(1)
    told: list[Params] = [{"c": int(random.integers(1, 5)), "n": float(random.random())} for _ in range(150)]
    points = Points.of(space, told, random)
    (tree,) = grown(points.rows, random.standard_normal(150), 1, seed=0)
    table = table_of(tree, Points.of(space, [{"c": c, "n": n} for c in (1, 2, 3, 4) for n in middles()], random))
    variance = table.var()
    found = shares([(tree, tree)], points.groups)
    alone = {"c": table.mean(axis=1).var() / variance, "n": table.mean(axis=0).var() / variance}
    assert_shares(found, 1e-3, c=(1 - alone["n"], alone["c"]), n=(1 - alone["c"], alone["n"]))


def middles() -> list[float]:
    return [(place + 0.5) / 5_000 for place in range(5_000)]


def table_of(tree: Tree, points: Points) -> Floats:
    return tree.values[tree.leaves(points.rows)].reshape(4, -1)


def test_a_forest_that_is_the_same_everywhere_has_no_shares() -> None:
    assert_shares(decomposed(lambda a, b: 0 * a, "ab", count=30), 0.0, a=(0.0, 0.0), b=(0.0, 0.0))


@pytest.mark.parametrize("seed", range(3))
def test_main_effects_are_those_of_optuna_for_the_same_tree(seed: int) -> None:
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    x = random_points(120, "abc", seed=2)
    values = x[:, 0] + x[:, 1] * x[:, 2] + 0.1 * np.random.default_rng(3).standard_normal(120)
    study = optuna.create_study()
    within = {name: optuna.distributions.FloatDistribution(0.0, 1.0) for name in "abc"}
    for row, value in zip(x.tolist(), values.tolist(), strict=True):
        params = dict(zip("abc", row, strict=True))
        study.add_trial(optuna.trial.create_trial(params=params, distributions=within, value=value))
    theirs = optuna.importance.FanovaImportanceEvaluator(n_trees=1, seed=seed).evaluate(study)
    points = points_of(x, "abc")
    (tree,) = grown(points.rows, values, 1, seed, smallest_leaf=1)
    ours = shares([(tree, tree)], points.groups)
    assert {name: share.alone for name, share in ours.items()} == pytest.approx(theirs, rel=1e-6)
