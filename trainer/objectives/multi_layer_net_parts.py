"""Makes what a multi-layer net is trained with from its settings."""

from math import inf

import numpy as np

from trainer import optimizers, schedules
from trainer.initializers import choose
from trainer.network import Architecture, MultiLayerNet, Regularisation
from trainer.objectives.multi_layer_net_settings import NetSettings
from trainer.optimizers import Optimizer
from trainer.training import Plan

# Fewer rows at a time would cost more in calls than in arithmetic.
ROWS_AT_LEAST = 100


def generators(seed: int) -> tuple[np.random.Generator, ...]:
    """For the initial weights, the batches and the dropout."""
    return tuple(np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(3))


def network(
    settings: NetSettings, features: int, classes: int, initial: np.random.Generator, dropout: np.random.Generator
) -> MultiLayerNet:
    return MultiLayerNet(
        Architecture(
            widths=(features, *settings.widths, classes),
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


def optimizer(settings: NetSettings, network: MultiLayerNet) -> Optimizer:
    told = {name: value for name in optimizers.settings() if (value := getattr(settings, name)) is not None}
    return optimizers.create(
        settings.optimizer,
        network.parameters.values,
        weight_decay=settings.weight_decay,
        decaying=network.parameters.decaying,
        **told,
    )


def plan(settings: NetSettings) -> Plan:
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
