"""Learning with and without batch normalisation, from sixteen scales of initial weights."""

import numpy as np
from matplotlib.figure import Figure

from trainer.errors import Diverged
from trainer.experiments import runs
from trainer.experiments.base import Experiment, Finding
from trainer.initializers import normal

SCALES = np.logspace(0, -4, 16)
EPOCHS, IMAGES = 20, 1_000


class BatchNormalisation(Experiment):
    name = "batch_normalisation"
    setting = "1,000 images of MNIST, five hidden layers of 100 ReLU units, SGD, lr .01, 20 epochs"
    size = (9.0, 9.0)

    def run(self, figure: Figure) -> Finding:
        curves = {norm: [_curve(scale, norm) for scale in SCALES] for norm in (True, False)}
        grid = figure.subplots(4, 4, sharex=True, sharey=True)
        for place, (axes, scale) in enumerate(zip(grid.flat, SCALES, strict=True)):
            axes.plot(curves[True][place], label="with batch normalisation")
            axes.plot(curves[False][place], "--", label="without")
            axes.set_title(f"std {scale:.2g}", fontsize=8)
            axes.set_ylim(0, 1)
        grid[0, 0].legend(fontsize=6)
        areas = {norm: np.array([np.mean(curve) for curve in found]) for norm, found in curves.items()}
        faster = int(np.sum(areas[True] > areas[False]))
        stuck = int(sum(curve[-1] < 0.2 for curve in curves[False]))
        return Finding(
            {
                "scales_at_which_it_is_faster": faster,
                "scales_that_do_not_learn_without": stuck,
                "final_with": [round(curve[-1], 3) for curve in curves[True]],
                "final_without": [round(curve[-1], 3) for curve in curves[False]],
            },
            {
                "with it learning is faster almost everywhere, at 13 scales of 16 or more": faster >= 13,
                "without it many scales, 5 or more, do not learn": stuck >= 5,
            },
        )


def _curve(scale: float, batch_norm: bool) -> list[float]:
    """The accuracy on the training images after each epoch; 0 from where it diverges on."""
    network = runs.net(5, initializer=normal(float(scale)), batch_norm=batch_norm)
    rows = runs.mnist(IMAGES)
    accuracies: list[float] = []
    try:
        for epoch in runs.epochs(network, rows, rows, EPOCHS, 0.01):
            accuracies.append(epoch.train_accuracy)  # noqa: PERF401 - what came before a divergence counts
    except Diverged:
        pass
    return accuracies + [0.0] * (EPOCHS - len(accuracies))
