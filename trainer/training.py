"""Training, one epoch at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

import numpy as np

from trainer.arrays import Floats, Labels
from trainer.batches import Batches
from trainer.data.split import Split
from trainer.errors import Diverged
from trainer.network import MultiLayerNet
from trainer.optimizers import Optimizer


@dataclass(frozen=True, slots=True)
class Epoch:
    """Where the net stands after an epoch (from 1): on all training and all validation images."""

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_accuracy: float


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to train, with what batches and steps."""

    epochs: int
    batch_size: int
    lr: float


def train(
    network: MultiLayerNet, optimizer: Optimizer, split: Split, plan: Plan, rng: np.random.Generator
) -> Iterator[Epoch]:
    """Train for the planned epochs, of max(1, training images // batch size) steps each; hand out each one.

    Raises Diverged at the first loss that is not finite.
    """
    batches = Batches(split.train.x, split.train.t, plan.batch_size, rng)
    for epoch in range(1, plan.epochs + 1):
        # Within the epoch only: around a yield it would reach the caller's code as well.
        with np.errstate(all="ignore"):
            for x, t in batches.epoch():
                _step(network, optimizer, x, t, plan.lr)
            train_loss, train_accuracy = network.evaluate(split.train.x, split.train.t)
            _, validation_accuracy = network.evaluate(split.validation.x, split.validation.t)
        _check(train_loss, f"after epoch {epoch}")
        yield Epoch(epoch, train_loss, train_accuracy, validation_accuracy)


def _step(network: MultiLayerNet, optimizer: Optimizer, x: Floats, t: Labels, lr: float) -> None:
    _check(network.gradients(x, t), "in a step")
    optimizer.update(network.parameters.values, network.parameters.gradients, lr)


def _check(loss: float, when: str) -> None:
    if not isfinite(loss):
        raise Diverged(f"the loss is {loss} {when}: try a smaller learning rate")
