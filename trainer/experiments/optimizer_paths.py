"""The paths of the optimizers down a long valley."""

from math import hypot

import numpy as np
from matplotlib.figure import Figure

from trainer import optimizers
from trainer.experiments.base import Experiment, Finding

START, STEPS = (-7.0, 2.0), 30
RATES = {"sgd": 0.95, "momentum": 0.1, "adagrad": 1.5, "rmsprop": 0.3, "adam": 0.3}
KNOWN = {"sgd": 0.36, "adagrad": 0.12, "adam": 0.35}


class OptimizerPaths(Experiment):
    name = "optimizer_paths"
    setting = "30 steps down f(x, y) = x^2/20 + y^2 from (-7, 2), with a learning rate that suits each optimizer"
    size = (10.0, 5.5)

    def run(self, figure: Figure) -> Finding:
        paths = {name: _path(name, lr) for name, lr in RATES.items()}
        for axes, (name, path) in zip(figure.subplots(2, 3).flat, paths.items(), strict=False):
            x, y = np.meshgrid(np.linspace(-10, 10, 200), np.linspace(-6, 6, 200))
            axes.contour(x, y, x**2 / 20 + y**2, levels=[0.2, 1, 3, 7, 14, 25], colors="0.8", linewidths=0.7)
            axes.plot(*path.T, "o-", markersize=2.5, linewidth=0.9)
            axes.plot(0, 0, "k+")
            axes.set_title(f"{name}, lr {RATES[name]}", fontsize=10)
        figure.axes[-1].set_visible(False)
        left = {name: hypot(*path[-1]) for name, path in paths.items()}
        signs = np.sign(paths["sgd"][:, 1])
        return Finding(
            {f"distance_{name}": round(distance, 3) for name, distance in left.items()}
            | {"momentum_x": round(float(paths["momentum"][-1, 0]), 3)},
            {
                "SGD zigzags: y changes its sign with every step": bool(np.all(signs[1:] == -signs[:-1])),
                "after 30 steps AdaGrad is nearest to (0, 0) of SGD, Momentum, AdaGrad and Adam": left["adagrad"]
                == min(left[name] for name in ("sgd", "momentum", "adagrad", "adam")),
                "the distances are .12 for AdaGrad, .35 for Adam and .36 for SGD": all(
                    abs(left[name] - distance) < 0.006 for name, distance in KNOWN.items()
                ),
                "Momentum has overshot in x, by .90": abs(paths["momentum"][-1, 0] - 0.90) < 0.006,
            },
        )


def _path(name: str, lr: float) -> np.ndarray:
    place = np.array(START)
    optimizer = optimizers.create(name, place)
    path = [place.copy()]
    for _ in range(STEPS):
        optimizer.update(place, np.array([place[0] / 10, 2 * place[1]]), lr)
        path.append(place.copy())
    return np.array(path)
