"""What keeps a net from learning its training images by heart: penalties, a bound, dropout, normalisation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.dropout import Dropout
from trainer.initializers import normal
from trainer.network import Architecture, MultiLayerNet, Regularisation
from trainer.normalization import EPSILON, BatchNorm
from trainer.penalties import L1, L2, MaxNorm

W = np.array([1.0, -2.0, 0.0, 3.0])


def net(**regularisation: float) -> MultiLayerNet:
    return MultiLayerNet(
        Architecture(widths=[4, 6, 3]),
        10,
        initializer=normal(1.0),
        rng=np.random.default_rng(0),
        regularisation=Regularisation(**regularisation),
        dtype=np.float64,
    )


def batch_norm(width: int, rows: int) -> BatchNorm:
    layer = BatchNorm(width, rows, np.float64)
    layer.bind([np.empty(width), np.zeros(width)], [np.empty(width), np.empty(width)])
    layer.resize(rows)
    return layer


def test_penalties_are_their_formulas() -> None:
    gradients = np.ones(4)
    L2(0.5, W).add_gradient(gradients)
    L1(0.25, W).add_gradient(gradients)
    assert gradients.tolist() == [1.75, -0.25, 1.0, 2.75]
    assert L2(0.5, W).loss() == 0.5 * 0.5 * 14
    assert L1(0.25, W).loss() == 0.25 * 6
    assert L2(0.0, W).loss() == L1(0.0, W).loss() == 0.0


def test_penalties_are_of_weights_and_not_of_biases() -> None:
    x, t = np.ones((6, 4)), np.array([0, 1, 2, 0, 1, 2])
    plain, penalised = net(), net(l1=0.5, l2=0.25)
    for network in (plain, penalised):
        network.parameters.values[network.parameters.decaying :] = 3.0
    more = penalised.gradients(x, t) - plain.gradients(x, t)
    weights = plain.parameters.weights
    assert more == pytest.approx(0.5 * np.abs(weights).sum() + 0.125 * (weights**2).sum())
    added = penalised.parameters.gradients - plain.parameters.gradients
    np.testing.assert_allclose(added[: weights.size], 0.5 * np.sign(weights) + 0.25 * weights)
    assert not added[weights.size :].any()


def test_the_weights_into_a_unit_are_cut_to_the_largest_norm_and_shorter_ones_stay() -> None:
    matrix = np.array([[3.0, 0.3], [4.0, 0.4]])
    MaxNorm(2.0, [matrix]).apply()
    np.testing.assert_allclose(matrix, [[1.2, 0.3], [1.6, 0.4]])


def test_weights_too_long_to_square_are_cut_to_the_bound_too() -> None:
    matrix = np.array([[1e30, 0.0], [1e30, 0.0]], np.float32)
    MaxNorm(2.0, [matrix]).apply()
    np.testing.assert_allclose(np.linalg.norm(matrix, axis=0), [2.0, 0.0], rtol=1e-5)


def test_a_step_leaves_no_unit_with_longer_weights_than_its_bound() -> None:
    network = net(max_norm=0.5)
    network.constrain()
    for layer in network.layers[::2]:
        lengths = np.linalg.norm(layer.weights, axis=0)  # type: ignore[attr-defined]
        assert lengths.max() <= 0.5 + 1e-12


def test_dropout_leaves_out_its_share_and_keeps_the_mean() -> None:
    layer = Dropout(0.25, 100, 400, np.random.default_rng(0), np.float32)
    layer.resize(400)
    x = np.ones((400, 100), np.float32)
    y = layer.forward(x, training=True)
    assert np.unique(y).tolist() == [0.0, pytest.approx(4 / 3)]
    assert np.mean(y == 0) == pytest.approx(0.25, abs=0.01)
    assert y.mean() == pytest.approx(1.0, abs=0.01)
    assert np.all(x == 1), "the activation before needs its output"


def test_dropout_draws_anew_in_each_step_and_does_nothing_outside_of_training() -> None:
    layer = Dropout(0.5, 50, 10, np.random.default_rng(0), np.float32)
    layer.resize(10)
    x = np.ones((10, 50), np.float32)
    first = layer.forward(x, training=True).copy()
    assert (layer.forward(x, training=True) != first).any()
    np.testing.assert_array_equal(layer.forward(x, training=False), x)


@given(rows=st.integers(2, 20), width=st.integers(1, 6), shift=st.floats(-5, 5), seed=st.integers(0, 99))
def test_batch_normalisation_gives_a_batch_mean_zero_and_deviation_one(
    rows: int, width: int, shift: float, seed: int
) -> None:
    x = np.random.default_rng(seed).normal(shift, 3.0, (rows, width))
    variance = x.var(axis=0)
    y = batch_norm(width, rows).forward(x, training=True)
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(y.var(axis=0), variance / (variance + EPSILON), atol=1e-9)


def test_outside_of_training_a_row_is_normalised_by_what_ran_through() -> None:
    layer = batch_norm(2, 500)
    rng = np.random.default_rng(0)
    for _ in range(100):
        layer.forward(rng.normal([3.0, -1.0], [2.0, 0.5], (500, 2)), training=True)
    np.testing.assert_allclose(layer.running_mean, [3.0, -1.0], atol=0.1)
    np.testing.assert_allclose(layer.running_variance, [4.0, 0.25], rtol=0.1)
    layer.resize(1)
    one = layer.forward(np.array([[3.0, -1.0]]), training=False)
    np.testing.assert_allclose(one, 0, atol=0.1)
    before = layer.running_mean.copy()
    layer.forward(np.array([[9.0, 9.0]]), training=False)
    np.testing.assert_array_equal(layer.running_mean, before)


def test_dropout_and_normalisation_are_there_when_asked_for() -> None:
    plain = MultiLayerNet(Architecture(widths=[4, 6, 3]), 10, initializer=normal(1.0), rng=np.random.default_rng(0))
    both = MultiLayerNet(
        Architecture(widths=[4, 6, 6, 3], batch_norm=True, dropout=0.5),
        10,
        initializer=normal(1.0),
        rng=np.random.default_rng(0),
    )
    assert [type(layer).__name__ for layer in plain.layers] == ["Affine", "ReLU", "Affine"]
    hidden = ["Affine", "BatchNorm", "ReLU", "Dropout"]
    assert [type(layer).__name__ for layer in both.layers] == [*hidden, *hidden, "Affine"]
