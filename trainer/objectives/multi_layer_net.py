"""The multi-layer net on handwritten digits, or on data of one's own."""

from collections.abc import Generator
from dataclasses import asdict
from typing import ClassVar

import numpy as np
from pydantic import BaseModel

from trainer import optimizers
from trainer.data import training_images
from trainer.data.split import Split, split
from trainer.initializers import choose
from trainer.network import MultiLayerNet
from trainer.objectives.base import Objective, Result
from trainer.objectives.multi_layer_net_settings import MultiLayerNetSettings
from trainer.training import Plan, train

# Fewer rows at a time would cost more in calls than in arithmetic.
ROWS_AT_LEAST = 100


class MultiLayerNetObjective(Objective):
    """784 - 6 x 100 - 10 on 500 images of MNIST, unless the settings say otherwise (Saitoh 2016, 6.5)."""

    name: ClassVar[str] = "multi_layer_net"
    metrics: ClassVar[tuple[str, ...]] = ("validation_accuracy", "train_accuracy", "train_loss")
    Settings: ClassVar[type[BaseModel]] = MultiLayerNetSettings

    def train(
        self, settings: MultiLayerNetSettings, *, seed: int, split_seed: int
    ) -> Generator[dict[str, float], None, Result]:
        """Hand out the epoch, train_loss, train_accuracy and validation_accuracy after each epoch."""
        images = training_images(settings.dataset)
        data = split(images, settings.train_size, settings.validation_fraction, split_seed=split_seed)
        initial, batches = (np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(2))
        network = _network(settings, data, initial)
        optimizer = optimizers.create(settings.optimizer, network.parameters.values, momentum=settings.momentum)
        plan = Plan(settings.epochs, settings.batch_size, settings.lr)
        for epoch in train(network, optimizer, data, plan, batches):
            curve = asdict(epoch)
            yield curve
        return Result({name: curve[name] for name in self.metrics}, _samples(data))


def _network(settings: MultiLayerNetSettings, data: Split, rng: np.random.Generator) -> MultiLayerNet:
    return MultiLayerNet(
        (data.train.x.shape[1], *settings.hidden_sizes, data.classes),
        max(settings.batch_size, ROWS_AT_LEAST),
        activation=settings.activation,
        initializer=choose(settings.weight_init, activation=settings.activation, std=settings.weight_std),
        rng=rng,
        weight_decay=settings.weight_decay,
    )


def _samples(data: Split) -> dict[str, int]:
    return {"validation_accuracy": len(data.validation.t), "train_accuracy": len(data.train.t)}
