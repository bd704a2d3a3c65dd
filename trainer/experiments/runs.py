"""Runs that several experiments share: nets trained step by step on MNIST."""

from collections.abc import Iterator
from itertools import chain, islice, repeat

import numpy as np

from trainer import optimizers
from trainer.activations import ActivationName
from trainer.batches import Batches
from trainer.data import training_images
from trainer.data.rows import Rows
from trainer.data.split import Split
from trainer.initializers import Initializer, he
from trainer.network import Architecture, MultiLayerNet, Regularisation
from trainer.test_sets import held_out_images
from trainer.training import Epoch, Plan, train

PIXELS, CLASSES = 784, 10


def mnist(size: int | None = None) -> Rows:
    """The first training images of MNIST, all of them for None."""
    images = training_images("mnist")
    return images.take(np.arange(len(images) if size is None else size))


def mnist_test() -> Rows:
    """The test images of MNIST."""
    images = held_out_images("mnist")
    return images.take(np.arange(len(images)))


def net(
    hidden: int,
    *,
    activation: ActivationName = "relu",
    initializer: Initializer = he,
    batch_norm: bool = False,
    dropout: float = 0.0,
    l2: float = 0.0,
    width: int = 100,
    seed: int = 0,
) -> MultiLayerNet:
    """A net for MNIST with so many hidden layers of so many units."""
    widths = (PIXELS, *repeat(width, hidden), CLASSES)
    return MultiLayerNet(
        Architecture(widths=widths, activation=activation, batch_norm=batch_norm, dropout=dropout),
        200,
        initializer=initializer,
        rng=np.random.default_rng(seed),
        regularisation=Regularisation(l2=l2),
    )


def losses(network: MultiLayerNet, rows: Rows, steps: int, optimizer: str, lr: float, batch: int = 128) -> list[float]:
    """The loss of each of so many steps."""
    moves = optimizers.create(optimizer, network.parameters.values)
    batches = Batches(rows, batch, np.random.default_rng(1))
    endless = chain.from_iterable(batches.epoch() for _ in repeat(None))
    return [_step(network, moves, x, t, lr) for x, t in islice(endless, steps)]


def epochs(network: MultiLayerNet, train_rows: Rows, judged: Rows, number: int, lr: float) -> Iterator[Epoch]:
    """Train by gradient descent in batches of 100, and judge the net on other rows after each epoch."""
    split = Split(train_rows, judged, CLASSES)
    moves = optimizers.create("sgd", network.parameters.values)
    return train(network, moves, split, Plan(number, 100, lr), np.random.default_rng(1))


def smoothed(numbers: list[float], window: int = 50) -> list[float]:
    """The mean of each number and those just before it."""
    sums = np.cumsum([0.0, *numbers])
    ends = np.arange(1, len(numbers) + 1)
    starts = np.maximum(ends - window, 0)
    return [float(mean) for mean in (sums[ends] - sums[starts]) / (ends - starts)]


def _step(network: MultiLayerNet, moves: optimizers.Optimizer, x: np.ndarray, t: np.ndarray, lr: float) -> float:
    with np.errstate(all="ignore"):
        loss = network.gradients(x, t)
        moves.update(network.parameters.values, network.parameters.gradients, lr)
    return loss
