"""Five steps of small nets in float64, as they once were; `python tests/golden/test_trainer_curves.py` records anew."""

import json
import os
import subprocess
import sys
from itertools import islice, product
from pathlib import Path

import numpy as np
import pytest

from trainer import optimizers
from trainer.activations import ACTIVATIONS, ActivationName
from trainer.batches import Batches
from trainer.data import training_images
from trainer.data.split import split
from trainer.initializers import InitializerName, choose
from trainer.network import Architecture, MultiLayerNet, Regularisation

GOLDEN = Path(__file__).with_name("trainer_curves.json")
INITS: list[InitializerName] = ["auto", "he", "xavier", "std", "zero"]
NETS = [
    *((activation, "sgd", "auto", False) for activation in ACTIVATIONS if activation != "relu"),
    *(("relu", name, init, norm) for name, init, norm in product(sorted(optimizers.known()), INITS, [False, True])),
]


def key(activation: ActivationName, optimizer: str, init: InitializerName, batch_norm: bool) -> str:
    return ", ".join([activation, optimizer, init, *(["batch norm"] if batch_norm else [])])


def losses(activation: ActivationName, optimizer_name: str, init: InitializerName, batch_norm: bool) -> list[float]:
    data = split(training_images("digits"), 100, 0.2, split_seed=1, dtype=np.float64).train
    network = MultiLayerNet(
        Architecture(widths=[64, 16, 12, 10], activation=activation, batch_norm=batch_norm),
        20,
        initializer=choose(init, activation=activation, std=0.01),
        rng=np.random.default_rng(2),
        regularisation=Regularisation(l2=1e-3),
        dtype=np.float64,
    )
    parameters = network.parameters
    optimizer = optimizers.create(optimizer_name, parameters.values, momentum=0.9)
    seen = []
    batches = Batches(data, 10, np.random.default_rng(3))
    for x, t in islice(batches.epoch(), 5):
        seen.append(network.gradients(x, t))
        optimizer.update(parameters.values, parameters.gradients, 0.1 if optimizer_name == "sgd" else 0.01)
    return seen


@pytest.mark.parametrize(("activation", "optimizer", "init", "batch_norm"), NETS)
def test_five_steps_are_as_recorded(
    activation: ActivationName, optimizer: str, init: InitializerName, batch_norm: bool
) -> None:
    recorded = json.loads(GOLDEN.read_text())[key(activation, optimizer, init, batch_norm)]
    assert losses(activation, optimizer, init, batch_norm) == pytest.approx(recorded, abs=1e-9)


@pytest.mark.parametrize("kernels", ["Nehalem", "Haswell"])
def test_other_kernels_of_blas_take_the_same_five_steps(kernels: str) -> None:
    ran = subprocess.run(
        [sys.executable, __file__, "print"],
        env=os.environ | {"OPENBLAS_CORETYPE": kernels, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    recorded = json.loads(GOLDEN.read_text())
    taken = json.loads(ran.stdout)
    assert taken.keys() == recorded.keys()
    assert all(taken[name] == pytest.approx(recorded[name], abs=1e-9) for name in recorded)


if __name__ == "__main__":
    recorded = {key(*net): losses(*net) for net in NETS}
    if sys.argv[1:] == ["print"]:
        sys.stdout.write(json.dumps(recorded))
    else:
        GOLDEN.write_text(json.dumps(recorded, indent=1) + "\n")
