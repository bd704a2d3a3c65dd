"""The multi-layer net on handwritten digits, or on data of one's own."""

from collections.abc import Generator
from dataclasses import asdict
from functools import partial
from math import inf
from typing import ClassVar

import numpy as np
from pydantic import BaseModel

from trainer import optimizers, schedules
from trainer.data import training_images
from trainer.data.split import Split, split
from trainer.initializers import choose
from trainer.network import Architecture, MultiLayerNet, Regularisation
from trainer.objectives.base import Objective, Result
from trainer.objectives.multi_layer_net_settings import MultiLayerNetSettings, NetSettings
from trainer.optimizers import Optimizer
from trainer.saved import Snapshot, packed
from trainer.training import Plan, train

# Fewer rows at a time would cost more in calls than in arithmetic.
ROWS_AT_LEAST = 100


class MultiLayerNetObjective(Objective):
    """784 - 6 x 100 - 10 on 500 images of MNIST, unless the settings say otherwise (Saitoh 2016, 6.5)."""

    name: ClassVar[str] = "multi_layer_net"
    metrics: ClassVar[tuple[str, ...]] = ("validation_accuracy", "train_accuracy", "train_loss")
    Settings: ClassVar[type[BaseModel]] = MultiLayerNetSettings

    def train(self, settings: NetSettings, *, seed: int, split_seed: int) -> Generator[dict[str, float], None, Result]:
        """Hand out the epoch, train_loss, train_accuracy and validation_accuracy after each epoch.

        With them go best_epoch and best_validation_accuracy: the first epoch with the highest accuracy so far.
        """
        data = _data(settings, split_seed)
        initial, batches, dropout = (np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(3))
        network = _network(settings, data, initial, dropout)
        optimizer = _optimizer(settings, network)
        best: dict[str, float] = {}
        learned: Snapshot | None = None
        for epoch in train(network, optimizer, data, _plan(settings), batches):
            last = asdict(epoch)
            if not best or last["validation_accuracy"] > best["validation_accuracy"]:
                best = last
                learned = Snapshot.of(network) if settings.value_of == "best" else None
            yield last | {"best_epoch": best["epoch"], "best_validation_accuracy": best["validation_accuracy"]}
        counts = best if settings.value_of == "best" else last
        pack = partial(_packed, settings, data, network.architecture, learned or Snapshot.of(network))
        return Result({name: counts[name] for name in self.metrics}, _samples(data), pack)


def _data(settings: NetSettings, split_seed: int) -> Split:
    images = training_images(settings.dataset)
    data = split(
        images,
        settings.train_size,
        settings.validation_fraction,
        split_seed=split_seed,
        stratified=settings.stratified,
    )
    return data.standardised() if settings.standardize else data


def _network(
    settings: NetSettings, data: Split, initial: np.random.Generator, dropout: np.random.Generator
) -> MultiLayerNet:
    return MultiLayerNet(
        Architecture(
            widths=(data.train.features, *settings.widths, data.classes),
            activation=settings.activation,
            batch_norm=settings.batch_norm,
            dropout=settings.dropout,
            loss=settings.loss,
        ),
        max(settings.batch_size, ROWS_AT_LEAST),
        initializer=choose(settings.weight_init, activation=settings.activation, std=settings.weight_std),
        rng=initial,
        dropout_rng=dropout,
        regularisation=Regularisation(
            l2=0.0 if optimizers.known()[settings.optimizer].decays else settings.weight_decay,
            l1=settings.l1,
            max_norm=inf if settings.max_norm is None else settings.max_norm,
        ),
    )


def _optimizer(settings: NetSettings, network: MultiLayerNet) -> Optimizer:
    told = {name: value for name in optimizers.settings() if (value := getattr(settings, name)) is not None}
    return optimizers.create(
        settings.optimizer,
        network.parameters.values,
        weight_decay=settings.weight_decay,
        decaying=network.parameters.decaying,
        **told,
    )


def _plan(settings: NetSettings) -> Plan:
    return Plan(
        settings.epochs,
        settings.batch_size,
        settings.lr,
        schedules.choose(
            settings.schedule,
            epochs=settings.epochs,
            gamma=settings.schedule_gamma,
            every=settings.schedule_every,
            warmup_epochs=settings.warmup_epochs,
        ),
        settings.replacement,
        settings.patience,
    )


def _packed(settings: NetSettings, data: Split, architecture: Architecture, learned: Snapshot) -> bytes:
    return packed(
        architecture, learned, white=data.white, scaling=data.scaling, settings=settings.model_dump(mode="json")
    )


def _samples(data: Split) -> dict[str, int]:
    return {"validation_accuracy": len(data.validation.t), "train_accuracy": len(data.train.t)}
