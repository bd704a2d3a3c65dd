"""Five steps of small nets in float64, as they once were; `python tests/golden/test_trainer_curves.py` records anew."""

import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from trainer import optimizers
from trainer.activations import ActivationName
from trainer.batches import Batches
from trainer.data import training_images
from trainer.data.split import split
from trainer.initializers import choose
from trainer.network import MultiLayerNet

GOLDEN = Path(__file__).with_name("trainer_curves.json")
NETS: list[tuple[ActivationName, str]] = [("relu", "sgd"), ("sigmoid", "momentum"), ("tanh", "sgd")]


def losses(activation: ActivationName, optimizer_name: str) -> list[float]:
    data = split(training_images("digits"), 100, 0.2, split_seed=1, dtype=np.float64).train
    network = MultiLayerNet(
        [64, 16, 12, 10],
        20,
        activation=activation,
        initializer=choose("auto", activation=activation, std=0.01),
        rng=np.random.default_rng(2),
        weight_decay=1e-3,
        dtype=np.float64,
    )
    parameters = network.parameters
    optimizer = optimizers.create(optimizer_name, parameters.values, momentum=0.9)
    seen = []
    batches = Batches(data.x, data.t, 10, np.random.default_rng(3))
    for x, t in islice(batches.epoch(), 5):
        seen.append(network.gradients(x, t))
        optimizer.update(parameters.values, parameters.gradients, 0.1)
    return seen


@pytest.mark.parametrize(("activation", "optimizer"), NETS)
def test_five_steps_are_as_recorded(activation: ActivationName, optimizer: str) -> None:
    recorded = json.loads(GOLDEN.read_text())[f"{activation}, {optimizer}"]
    assert losses(activation, optimizer) == pytest.approx(recorded, abs=1e-9)


if __name__ == "__main__":
    recorded = {f"{activation}, {optimizer}": losses(activation, optimizer) for activation, optimizer in NETS}
    GOLDEN.write_text(json.dumps(recorded, indent=1) + "\n")
