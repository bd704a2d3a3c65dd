from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.activations import ACTIVATIONS as ACTIVATION_LAYERS
from trainer.activations import ActivationName
from trainer.dropout import Dropout
from trainer.gradients import numerical_gradient
from trainer.initializers import InitializerName, choose
from trainer.layers import Affine, Layer
from trainer.losses import LOSSES, LossName
from trainer.network import Architecture, MultiLayerNet, Regularisation
from trainer.normalization import BatchNorm
from trainer.optimizers.sgd import SGD

ACTIVATIONS: list[ActivationName] = ["relu", "sigmoid", "tanh"]
INITS: list[InitializerName] = ["auto", "he", "xavier", "std", "zero"]


def bowl(x: np.ndarray) -> float:
    return float(np.sum(x**2))


def net(
    architecture: Architecture,
    init: InitializerName = "auto",
    regularisation: Regularisation = Regularisation(),  # noqa: B008 - frozen
    seed: int = 0,
) -> MultiLayerNet:
    return MultiLayerNet(
        architecture,
        16,
        initializer=choose(init, activation=architecture.activation, std=0.3),
        rng=np.random.default_rng(seed),
        regularisation=regularisation,
        dtype=np.float64,
    )


def batch(widths: list[int], rows: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, widths[0])), rng.integers(widths[-1], size=rows)


def training_loss(network: MultiLayerNet, x: np.ndarray, t: np.ndarray) -> float:
    """The loss of a step that leaves out the same units each time."""
    for layer in network.layers:
        if isinstance(layer, Dropout):
            layer.rng = np.random.default_rng(5)
    return network.gradients(x, t)


def assert_gradients_are_right(network: MultiLayerNet, x: np.ndarray, t: np.ndarray) -> None:
    # A step this small seldom crosses the kink of a ReLU, where no two-sided difference is the slope.
    expected = numerical_gradient(lambda _: training_loss(network, x, t), network.parameters.values, h=1e-6)
    training_loss(network, x, t)
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
    network = net(Architecture(widths=[2, 3]))
    network.parameters.weights[:] = [0.20416663, -0.26468752, 0.93918521, -0.96143561, -0.73607466, 0.3411377]
    x, t = np.array([[0.6, 0.9]]), np.array([2])
    assert network.gradients(x, t) == pytest.approx(0.32455, abs=5e-6)
    assert_gradients_are_right(network, x, t)


@pytest.mark.parametrize(("activation", "init"), list(product(ACTIVATIONS, INITS)))
def test_backpropagation_agrees_with_central_differences(activation: ActivationName, init: InitializerName) -> None:
    architecture = Architecture(widths=[5, 7, 6, 4], activation=activation)
    assert_gradients_are_right(net(architecture, init, Regularisation(l2=0.1)), *batch([5, 4], 8))


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("loss", list(LOSSES))
def test_backpropagation_through_a_relu_is_right(batch_norm: bool, dropout: float, loss: LossName) -> None:
    architecture = Architecture(widths=[5, 9, 8, 4], batch_norm=batch_norm, dropout=dropout, loss=loss)
    assert_gradients_are_right(net(architecture), *batch([5, 4], 12))


@settings(deadline=None, max_examples=100)
@given(
    widths=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    classes=st.integers(2, 5),
    rows=st.integers(1, 16),
    activation=st.sampled_from(["sigmoid", "tanh"]),
    batch_norm=st.booleans(),
    dropout=st.sampled_from([0.0, 0.3]),
    loss=st.sampled_from(list(LOSSES)),
    l2=st.sampled_from([0.0, 0.5]),
    l1=st.sampled_from([0.0, 0.2]),
    seed=st.integers(0, 1000),
)
def test_backpropagation_is_right_for_any_net(
    widths: list[int],
    classes: int,
    rows: int,
    activation: ActivationName,
    batch_norm: bool,
    dropout: float,
    loss: LossName,
    l2: float,
    l1: float,
    seed: int,
) -> None:
    shape = [*widths, classes]
    architecture = Architecture(widths=shape, activation=activation, batch_norm=batch_norm, dropout=dropout, loss=loss)
    network = net(architecture, "auto", Regularisation(l2=l2, l1=l1), seed)
    assert_gradients_are_right(network, *batch(shape, rows, seed))


@settings(deadline=None, max_examples=50)
@given(
    layer=st.sampled_from(["affine", "relu", "sigmoid", "tanh", "batch_norm", "dropout"]),
    width=st.integers(1, 6),
    rows=st.integers(2, 8),
    seed=st.integers(0, 1000),
)
def test_the_input_gradient_of_each_layer_is_right(layer: str, width: int, rows: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    made, outputs = a_layer(layer, width, rows)
    gradients = [np.zeros(shape.sizes) for shape in made.shapes]
    made.bind([rng.normal(size=shape.sizes) for shape in made.shapes], gradients)
    made.resize(rows)
    x, weighting = rng.normal(size=(rows, width)), rng.normal(size=(rows, outputs))

    def weighted_sum(_: np.ndarray) -> float:
        if isinstance(made, Dropout):
            made.rng = np.random.default_rng(5)
        return float(np.sum(made.forward(x.copy(), training=True) * weighting))

    expected = numerical_gradient(weighted_sum, x, h=1e-6)
    weighted_sum(x)
    made.parameter_gradients(weighting)
    np.testing.assert_allclose(made.input_gradient(weighting.copy()), expected, atol=1e-6, rtol=1e-4)


def a_layer(name: str, width: int, rows: int) -> tuple[Layer, int]:
    """A layer for so many inputs, and the number of its outputs."""
    match name:
        case "affine":
            return Affine(width, 3, rows, np.float64), 3
        case "batch_norm":
            return BatchNorm(width, rows, np.float64), width
        case "dropout":
            return Dropout(0.4, width, rows, np.random.default_rng(0), np.float64), width
    return ACTIVATION_LAYERS[name](width, rows, np.float64), width


def test_the_gradient_does_not_depend_on_the_batches_before() -> None:
    architecture = Architecture(widths=[4, 5, 3], batch_norm=True)
    network, fresh = net(architecture), net(architecture)
    for rows in (16, 3, 9):
        network.gradients(*batch([4, 3], rows, seed=rows))
    network.gradients(*batch([4, 3], 7))
    fresh.gradients(*batch([4, 3], 7))
    np.testing.assert_array_equal(network.parameters.gradients, fresh.parameters.gradients)


def test_one_hot_targets_are_labels() -> None:
    network = net(Architecture(widths=[4, 5, 3]))
    x, t = batch([4, 3], 7)
    loss, gradients = network.gradients(x, t), network.parameters.gradients.copy()
    assert network.gradients(x, np.eye(3)[t]) == loss
    np.testing.assert_array_equal(network.parameters.gradients, gradients)
    assert network.evaluate(x, np.eye(3)[t]) == network.evaluate(x, t)
