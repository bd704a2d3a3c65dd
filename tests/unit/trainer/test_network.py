from itertools import pairwise
from math import sqrt

import numpy as np
import pytest

from trainer.activations import ACTIVATIONS, Activation, ActivationName
from trainer.initializers import InitializerName, choose, normal
from trainer.layers import Affine, Layer
from trainer.network import Architecture, MultiLayerNet, Regularisation

BOOK = [784, 100, 100, 100, 100, 100, 100, 10]


def net(widths: list[int], *, weight_decay: float = 0.0, std: float = 0.1, dtype: type = np.float32) -> MultiLayerNet:
    return MultiLayerNet(
        Architecture(widths=widths),
        10,
        initializer=normal(std),
        rng=np.random.default_rng(0),
        regularisation=Regularisation(l2=weight_decay),
        dtype=dtype,
    )


def test_the_net_of_the_book_has_130010_parameters_in_one_float32_vector() -> None:
    parameters = net(BOOK).parameters
    assert parameters.values.shape == parameters.gradients.shape == (130_010,)
    assert parameters.values.dtype == parameters.gradients.dtype == np.float32
    assert parameters.values.flags.c_contiguous
    assert parameters.weights.size == sum(n * m for n, m in pairwise(BOOK))


def test_layers_see_the_vector_and_write_into_it() -> None:
    network = net([3, 4, 2])
    affine = [layer for layer in network.layers if isinstance(layer, Affine)]
    assert all(np.shares_memory(layer.weights, network.parameters.values) for layer in affine)
    network.parameters.values[:] = np.arange(26)
    assert affine[0].weights.ravel().tolist() == list(range(12))
    assert affine[1].weights.ravel().tolist() == list(range(12, 20))
    assert affine[0].biases.tolist() == [20, 21, 22, 23]
    assert affine[1].biases.tolist() == [24, 25]


def test_a_net_without_hidden_layers_is_one_affine_layer() -> None:
    network = net([3, 2])
    x = np.eye(3, dtype=np.float32)
    np.testing.assert_array_equal(network.logits(x), network.parameters.weights.reshape(3, 2))


def test_biases_begin_at_zero() -> None:
    parameters = net([5, 4, 3]).parameters
    assert not parameters.values[parameters.decaying :].any()
    assert parameters.weights.all()


@pytest.mark.parametrize(
    ("init", "activation", "spread"),
    [
        ("auto", "relu", sqrt(2 / 400)),
        ("auto", "sigmoid", sqrt(1 / 400)),
        ("auto", "tanh", sqrt(1 / 400)),
        ("he", "tanh", sqrt(2 / 400)),
        ("xavier", "relu", sqrt(1 / 400)),
        ("std", "relu", 0.01),
        ("zero", "relu", 0.0),
    ],
)
def test_initial_weights_have_the_spread_that_was_chosen(
    init: InitializerName, activation: ActivationName, spread: float
) -> None:
    weights = np.empty((400, 300))
    choose(init, activation=activation, std=0.01)(weights, np.random.default_rng(0))
    assert weights.std() == pytest.approx(spread, rel=0.01)
    assert abs(weights.mean()) <= spread / 50


def test_weights_that_begin_all_zero_never_tell_units_apart() -> None:
    network = net([4, 5, 3], std=0.0)
    rng = np.random.default_rng(1)
    for _ in range(20):
        network.gradients(rng.normal(size=(10, 4)).astype(np.float32), rng.integers(3, size=10))
        network.parameters.values[:] -= network.parameters.gradients
    assert not network.parameters.weights.any()


def test_a_net_has_the_same_initial_weights_in_each_dtype() -> None:
    single, double = net([5, 4, 3]), net([5, 4, 3], dtype=np.float64)
    np.testing.assert_array_equal(single.parameters.values, double.parameters.values.astype(np.float32))


def test_weight_decay_is_in_the_loss_and_the_gradient_of_weights_and_not_of_biases() -> None:
    plain, decaying = net([4, 5, 3], dtype=np.float64), net([4, 5, 3], weight_decay=0.5, dtype=np.float64)
    for network in (plain, decaying):
        network.parameters.values[network.parameters.decaying :] = 3.0
    x, t = np.ones((6, 4)), np.array([0, 1, 2, 0, 1, 2])
    difference = decaying.gradients(x, t) - plain.gradients(x, t)
    weights = plain.parameters.weights
    assert difference == pytest.approx(0.5 * 0.5 * float(np.sum(weights**2)))
    added = decaying.parameters.gradients - plain.parameters.gradients
    np.testing.assert_allclose(added[: weights.size], 0.5 * weights)
    assert not added[weights.size :].any()


def test_loss_and_accuracy_are_the_same_in_parts_and_at_once() -> None:
    network = net([4, 8, 3], dtype=np.float64)
    rng = np.random.default_rng(3)
    x, t = rng.normal(size=(37, 4)), rng.integers(3, size=37)
    loss, accuracy = network.evaluate(x, t)
    ones = [network.evaluate(x[i : i + 1], t[i : i + 1]) for i in range(37)]
    assert loss == pytest.approx(float(np.mean([one for one, _ in ones])))
    assert accuracy == pytest.approx(float(np.mean([right for _, right in ones])))
    assert type(accuracy) is float


@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_activations_are_their_formulas_and_stay_finite_for_large_numbers(name: str) -> None:
    x = np.array([[-1e4, -2.0, 0.0, 3.0, 1e4]])
    with np.errstate(over="ignore"):
        expected = {"relu": np.maximum(x, 0), "sigmoid": 1 / (1 + np.exp(-x)), "tanh": np.tanh(x)}[name]
    layer: Activation = ACTIVATIONS[name](5, 1, np.float64)
    layer.resize(1)
    np.testing.assert_allclose(layer.forward(x, training=True), expected, atol=1e-12)


def test_a_layer_without_its_two_passes_says_so() -> None:
    x = np.ones((1, 1))
    with pytest.raises(NotImplementedError):
        Layer().forward(x, training=True)
    with pytest.raises(NotImplementedError):
        Layer().input_gradient(x)
