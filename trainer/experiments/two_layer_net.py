"""The net of one hidden layer, whose training and test accuracy run together."""

import numpy as np
from matplotlib.figure import Figure

from trainer.data.rows import Rows
from trainer.experiments import runs
from trainer.experiments.base import Experiment, Finding
from trainer.initializers import normal
from trainer.network import MultiLayerNet
from trainer.optimizers.sgd import SGD

STEPS, BATCH, LR, FULL = 10_000, 100, 0.1, 60_000


class TwoLayerNet(Experiment):
    name = "two_layer_net"
    setting = "784-50-10, sigmoid, initial weights of std .01, SGD, lr .1, 10,000 steps with batches of 100, on MNIST"
    size = (9.0, 4.0)

    def run(self, figure: Figure) -> Finding:
        train, test = runs.mnist(), runs.mnist_test()
        network = runs.net(1, activation="sigmoid", initializer=normal(0.01), width=50)
        optimizer, rng = SGD(network.parameters.values), np.random.default_rng(1)
        losses: list[float] = []
        accuracies: list[tuple[float, float]] = []
        x, t = np.empty((BATCH, train.features), np.float32), np.empty(BATCH, np.int64)
        for step in range(STEPS):
            if step % (STEPS // 17) == 0:
                accuracies.append(_accuracies(network, train, test))
            train.take(rng.integers(len(train.t), size=BATCH), x, t)
            losses.append(network.gradients(x, t))
            optimizer.update(network.parameters.values, network.parameters.gradients, LR)
        accuracies.append(_accuracies(network, train, test))
        _draw(figure, losses, accuracies)
        seen, unseen = accuracies[-1]
        known = (0.947, 0.947) if len(train.t) == FULL else (0.98, 0.91)
        return Finding(
            {"train_accuracy": seen, "test_accuracy": unseen, "last_loss": float(np.mean(losses[-100:]))},
            {
                f"training and test accuracy are about {known[0]:.1%} and {known[1]:.1%}, of "
                f"{len(train.t):,} training images": abs(seen - known[0]) < 0.01 and abs(unseen - known[1]) < 0.015,
            }
            | (
                {"the two lines overlap: never 1.5% apart": max(abs(a - b) for a, b in accuracies) < 0.015}
                if len(train.t) == FULL
                else {}
            ),
        )


def _accuracies(network: MultiLayerNet, train: Rows, test: Rows) -> tuple[float, float]:
    return network.judge(train.parts(network.rows))[1], network.judge(test.parts(network.rows))[1]


def _draw(figure: Figure, losses: list[float], accuracies: list[tuple[float, float]]) -> None:
    left, right = figure.subplots(1, 2)
    left.plot(losses, linewidth=0.3)
    left.set(xlabel="step", ylabel="loss of each step", ylim=(0, None))
    seen, unseen = zip(*accuracies, strict=True)
    right.plot(seen, label="training")
    right.plot(unseen, "--", label="test")
    right.set(xlabel="seventeenths of the training", ylabel="accuracy", ylim=(0, 1))
    right.legend()
