"""The random search that the service began with: learning rate decides, weight decay does not."""

import numpy as np
from matplotlib.figure import Figure

from trainer.experiments.base import Experiment, Finding
from trainer.experiments.learning_rates import accuracy

TRIALS, BEST = 100, 5


class Search(Experiment):
    name = "search"
    setting = "100 random trials of the reference's net: lr 10^U(-6, -2), weight decay 10^U(-8, -4)"
    size = (9.0, 4.0)

    def run(self, figure: Figure) -> Finding:
        rng = np.random.default_rng(0)
        lr, decay = 10 ** rng.uniform(-6, -2, TRIALS), 10 ** rng.uniform(-8, -4, TRIALS)
        values = np.array([accuracy(float(lr[n]), n, float(decay[n])) for n in range(TRIALS)])
        best = np.argsort(-values, kind="stable")[:BEST]
        for axes, x, label in zip(figure.subplots(1, 2, sharey=True), (lr, decay), ("lr", "weight decay"), strict=True):
            axes.semilogx(x, values, "C0.")
            axes.semilogx(x[best], values[best], "C1o", fillstyle="none", label="best five")
            axes.set(xlabel=label, ylabel="validation accuracy", ylim=(0, 1))
            axes.legend()
        by_lr, by_decay = _partial(lr, values, decay), _partial(decay, values, lr)
        return Finding(
            {
                "best": float(values.max()),
                "best_five_lr": [float(f"{number:.3g}") for number in lr[best]],
                "best_five_weight_decay": [float(f"{number:.3g}") for number in decay[best]],
                "rank_correlation_lr": round(by_lr, 3),
                "rank_correlation_weight_decay": round(by_decay, 3),
            },
            {
                "the best reaches .75 or more": values.max() >= 0.75,
                "the best five all have an lr above 2e-3": bool(np.all(lr[best] > 2e-3)),
                "lr decides: its rank correlation with the accuracy, for a given weight decay, is above .6": by_lr
                > 0.6,
                "weight decay does not: for a given lr it is within .26, as 99 of 100 by chance are": (
                    abs(by_decay) < 0.26
                ),
            },
        )


def _partial(x: np.ndarray, y: np.ndarray, given: np.ndarray) -> float:
    """The rank correlation of x and y that is left when what both share with a third is taken out."""
    xy, xz, yz = _rank_correlation(x, y), _rank_correlation(x, given), _rank_correlation(y, given)
    return float((xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2)))


def _rank_correlation(x: np.ndarray, y: np.ndarray) -> float:
    first, second = (np.argsort(np.argsort(numbers, kind="stable"), kind="stable") for numbers in (x, y))
    return float(np.corrcoef(first, second)[0, 1])
