"""Training, one epoch at a time."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isfinite

import numpy as np

from trainer.arrays import Floats, Labels
from trainer.batches import Batches
from trainer.data.rows import Rows
from trainer.data.split import Split
from trainer.errors import Diverged
from trainer.network import MultiLayerNet
from trainer.optimizers import Optimizer
from trainer.schedules import Schedule, constant


@dataclass(frozen=True, slots=True)
class Epoch:
    """Where the net stands after an epoch (from 1): on all training and all validation images."""

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_accuracy: float


@dataclass(frozen=True, slots=True)
class Fit:
    """Where the net stands after an epoch on all that it is trained on."""

    epoch: int
    train_loss: float
    train_accuracy: float


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to train, with what batches and steps.

    patience is how many epochs in a row may pass without a better validation accuracy; None for any number.
    """

    epochs: int
    batch_size: int
    lr: float
    schedule: Schedule = field(default_factory=constant)
    replacement: bool = True
    patience: int | None = None


def train(
    network: MultiLayerNet, optimizer: Optimizer, split: Split, plan: Plan, rng: np.random.Generator
) -> Iterator[Epoch]:
    """Train for the planned epochs, or until patience runs out; hand out each epoch.

    Raises Diverged at the first loss that is not finite.
    """
    batches = Batches(split.train, plan.batch_size, rng, replacement=plan.replacement)
    best, best_epoch = -1.0, 0
    for number in range(1, plan.epochs + 1):
        # Within the epoch only: around a yield it would reach the caller's code as well.
        with np.errstate(all="ignore"):
            _run(network, optimizer, batches, plan, number)
            epoch = _judged(network, split, number)
        yield epoch
        if epoch.validation_accuracy > best:
            best, best_epoch = epoch.validation_accuracy, number
        if plan.patience is not None and number - best_epoch >= plan.patience:
            return


def fit(
    network: MultiLayerNet, optimizer: Optimizer, rows: Rows, plan: Plan, rng: np.random.Generator
) -> Iterator[Fit]:
    """Train for all the planned epochs: nothing is held out for patience to go by. Raises Diverged."""
    batches = Batches(rows, plan.batch_size, rng, replacement=plan.replacement)
    for number in range(1, plan.epochs + 1):
        with np.errstate(all="ignore"):
            _run(network, optimizer, batches, plan, number)
            loss, accuracy = network.judge(rows.parts(network.rows))
            _check(loss, f"after epoch {number}")
        yield Fit(number, loss, accuracy)


def _run(network: MultiLayerNet, optimizer: Optimizer, batches: Batches, plan: Plan, number: int) -> None:
    for step, (x, t) in enumerate(batches.epoch()):
        time = number - 1 + (step + 0.5) / batches.steps
        _step(network, optimizer, x, t, plan.lr * plan.schedule(time))


def _step(network: MultiLayerNet, optimizer: Optimizer, x: Floats, t: Labels, lr: float) -> None:
    _check(network.gradients(x, t), "in a step")
    optimizer.update(network.parameters.values, network.parameters.gradients, lr)
    network.constrain()


def _judged(network: MultiLayerNet, split: Split, number: int) -> Epoch:
    train_loss, train_accuracy = network.judge(split.train.parts(network.rows))
    _check(train_loss, f"after epoch {number}")
    _, validation_accuracy = network.judge(split.validation.parts(network.rows))
    return Epoch(number, train_loss, train_accuracy, validation_accuracy)


def _check(loss: float, when: str) -> None:
    if not isfinite(loss):
        raise Diverged(f"the loss is {loss} {when}: try a smaller learning rate, or standardize larger inputs")
