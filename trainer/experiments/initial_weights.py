"""The loss of a net by its initial weights."""

import numpy as np
from matplotlib.figure import Figure

from trainer.experiments import runs
from trainer.experiments.base import Experiment, Finding
from trainer.initializers import he, normal, xavier

STEPS = 2_000
CASES = {"std .01": normal(0.01), "Xavier": xavier, "He": he}


class InitialWeights(Experiment):
    name = "initial_weights"
    setting = "five layers, four of them of 100 ReLU units, on MNIST: 2,000 steps of SGD, lr .01, batches of 128"

    def run(self, figure: Figure) -> Finding:
        rows = runs.mnist()
        losses = {
            case: runs.losses(runs.net(4, initializer=initializer), rows, STEPS, "sgd", 0.01)
            for case, initializer in CASES.items()
        }
        axes = figure.subplots()
        for case, values in losses.items():
            axes.plot(runs.smoothed(values), label=case)
        axes.set(xlabel="step", ylabel="loss, mean of 50 steps", ylim=(0, 2.5))
        axes.legend()
        mean = {case: float(np.mean(values)) for case, values in losses.items()}
        end = {case: float(np.mean(values[-200:])) for case, values in losses.items()}
        return Finding(
            {f"mean_loss_{case}": round(loss, 4) for case, loss in mean.items()}
            | {f"last_loss_{case}": round(loss, 4) for case, loss in end.items()},
            {
                "std .01 does not learn": end["std .01"] > 2.29,
                "He learns a little faster than Xavier": mean["He"] < mean["Xavier"] < mean["std .01"],
            },
        )
