"""The yardstick of the benchmark computes what the trainer computes."""

import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from trainer.batches import Batches
from trainer.data import training_images
from trainer.data.split import split
from trainer.initializers import he
from trainer.network import Architecture, MultiLayerNet, Regularisation
from trainer.optimizers.sgd import SGD

WIDTHS = [784, 100, 100, 100, 100, 100, 100, 10]


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-10), (np.float32, 1e-4)])
def test_plain_float64_and_the_trainer_have_the_same_first_losses(
    dtype: type, tolerance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[3])
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    from benchmarks import plain_net

    double = split(training_images("mnist"), 500, 0.2, split_seed=0, dtype=np.float64)
    sets = (double.train.x, double.train.t), (double.validation.x, double.validation.t)
    plain, _, _ = next(plain_net.train(*sets, WIDTHS, seed=5, lr=0.05, weight_decay=1e-3))
    initial, drawn = (np.random.default_rng(child) for child in np.random.SeedSequence(5).spawn(2))
    network = MultiLayerNet(
        Architecture(widths=WIDTHS),
        100,
        initializer=he,
        rng=initial,
        regularisation=Regularisation(l2=1e-3),
        dtype=dtype,
    )
    data = split(training_images("mnist"), 500, 0.2, split_seed=0, dtype=dtype).train
    optimizer, ours = SGD(network.parameters.values), []
    for x, t in islice(Batches(data, 100, drawn).epoch(), 4):
        ours.append(network.gradients(x, t))
        optimizer.update(network.parameters.values, network.parameters.gradients, 0.05)
    assert ours == pytest.approx(plain, rel=tolerance)
