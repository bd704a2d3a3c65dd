"""Four optimizers on the same net."""

import numpy as np
from matplotlib.figure import Figure

from trainer.experiments import runs
from trainer.experiments.base import Experiment, Finding

RATES = {"sgd": 0.01, "momentum": 0.01, "adagrad": 0.01, "adam": 0.001}
STEPS, LAST = 2_000, 200


class OptimizersOnMnist(Experiment):
    name = "optimizers_on_mnist"
    setting = "five layers, four of them of 100 ReLU units, on MNIST: 2,000 steps with batches of 128"

    def run(self, figure: Figure) -> Finding:
        rows = runs.mnist()
        losses = {name: runs.losses(runs.net(4), rows, STEPS, name, lr) for name, lr in RATES.items()}
        axes = figure.subplots()
        for name, values in losses.items():
            axes.plot(runs.smoothed(values), label=f"{name}, lr {RATES[name]}")
        axes.set(xlabel="step", ylabel="loss, mean of 50 steps", ylim=(0, 1))
        axes.legend()
        means = {name: float(np.mean(values)) for name, values in losses.items()}
        ends = {name: float(np.mean(values[-LAST:])) for name, values in losses.items()}
        return Finding(
            {f"mean_loss_{name}": round(loss, 4) for name, loss in means.items()}
            | {f"last_loss_{name}": round(loss, 4) for name, loss in ends.items()},
            {
                "SGD is the slowest": means["sgd"] == max(means.values()) and ends["sgd"] == max(ends.values()),
                "over all steps AdaGrad is slightly ahead": means["adagrad"] == min(means.values()),
                "in the last 200 steps AdaGrad is ahead too": ends["adagrad"] == min(ends.values()),
            },
        )
