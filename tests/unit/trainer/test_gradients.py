from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.activations import ActivationName
from trainer.gradients import numerical_gradient
from trainer.initializers import InitializerName, choose
from trainer.network import MultiLayerNet
from trainer.optimizers.sgd import SGD

ACTIVATIONS: list[ActivationName] = ["relu", "sigmoid", "tanh"]
INITS: list[InitializerName] = ["auto", "he", "xavier", "std"]


def bowl(x: np.ndarray) -> float:
    return float(np.sum(x**2))


def net(
    widths: list[int],
    activation: ActivationName = "relu",
    init: InitializerName = "auto",
    weight_decay: float = 0.0,
    seed: int = 0,
) -> MultiLayerNet:
    return MultiLayerNet(
        widths,
        16,
        activation=activation,
        initializer=choose(init, activation=activation, std=0.3),
        rng=np.random.default_rng(seed),
        weight_decay=weight_decay,
        dtype=np.float64,
    )


def batch(widths: list[int], rows: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, widths[0])), rng.integers(widths[-1], size=rows)


def assert_gradients_are_right(network: MultiLayerNet, x: np.ndarray, t: np.ndarray) -> None:
    # A step this small seldom crosses the kink of a ReLU, where no two-sided difference is the slope.
    expected = numerical_gradient(lambda _: network.evaluate(x, t)[0], network.parameters.values, h=1e-6)
    loss = network.gradients(x, t)
    assert loss == pytest.approx(network.evaluate(x, t)[0], rel=1e-12)
    np.testing.assert_allclose(network.parameters.gradients, expected, atol=1e-7, rtol=1e-5)


@pytest.mark.parametrize(("x", "slope"), [(5.0, 0.2), (10.0, 0.3)])
def test_central_differences_of_a_parabola(x: float, slope: float) -> None:
    gradient = numerical_gradient(lambda v: float(0.01 * v[0] ** 2 + 0.1 * v[0]), np.array([x]))
    assert gradient[0] == pytest.approx(slope, abs=1e-9)


@pytest.mark.parametrize(("x", "slope"), [((3, 4), (6, 8)), ((0, 2), (0, 4)), ((3, 0), (6, 0))])
def test_central_differences_of_a_bowl(x: tuple[float, float], slope: tuple[float, float]) -> None:
    place = np.array(x, float)
    np.testing.assert_allclose(numerical_gradient(bowl, place), slope, atol=1e-8)
    assert place.tolist() == list(x)


def descend(lr: float, steps: int = 100) -> np.ndarray:
    x = np.array([-3.0, 4.0])
    optimizer = SGD(x)
    for _ in range(steps):
        optimizer.update(x, numerical_gradient(bowl, x), lr)
    return x


@pytest.mark.parametrize(
    ("lr", "holds"),
    [
        (0.1, lambda x: np.all(np.abs(x) < 1e-9)),
        (10.0, lambda x: np.all(np.abs(x) > 1e12)),
        (1e-10, lambda x: np.allclose(x, (-3, 4), atol=1e-6)),
    ],
)
def test_gradient_descent_arrives_or_diverges_or_stays(lr: float, holds: Callable[[np.ndarray], bool]) -> None:
    assert holds(descend(lr))


def test_a_net_of_one_layer_has_the_loss_and_the_gradient_of_the_textbook() -> None:
    network = net([2, 3])
    network.parameters.weights[:] = [0.20416663, -0.26468752, 0.93918521, -0.96143561, -0.73607466, 0.3411377]
    x, t = np.array([[0.6, 0.9]]), np.array([2])
    assert network.gradients(x, t) == pytest.approx(0.32455, abs=5e-6)
    assert_gradients_are_right(network, x, t)


@pytest.mark.parametrize(("activation", "init"), list(product(ACTIVATIONS, INITS)))
def test_backpropagation_agrees_with_central_differences(activation: ActivationName, init: InitializerName) -> None:
    widths = [5, 7, 6, 4]
    assert_gradients_are_right(net(widths, activation, init, weight_decay=0.1), *batch(widths, 8))


@settings(deadline=None, max_examples=40)
@given(
    widths=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    classes=st.integers(2, 5),
    rows=st.integers(1, 16),
    activation=st.sampled_from(["sigmoid", "tanh"]),
    weight_decay=st.sampled_from([0.0, 0.5]),
    seed=st.integers(0, 1000),
)
def test_backpropagation_is_right_for_any_shape(
    widths: list[int], classes: int, rows: int, activation: ActivationName, weight_decay: float, seed: int
) -> None:
    shape = [*widths, classes]
    assert_gradients_are_right(net(shape, activation, "auto", weight_decay, seed), *batch(shape, rows, seed))


def test_the_gradient_does_not_depend_on_the_batches_before() -> None:
    widths = [4, 5, 3]
    network, fresh = net(widths), net(widths)
    for rows in (16, 3, 9):
        network.gradients(*batch(widths, rows, seed=rows))
    network.gradients(*batch(widths, 7))
    fresh.gradients(*batch(widths, 7))
    np.testing.assert_array_equal(network.parameters.gradients, fresh.parameters.gradients)
