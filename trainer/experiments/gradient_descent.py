"""Gradient descent with a learning rate that suits, one that is too large and one that is too small."""

import numpy as np
from matplotlib.figure import Figure

from trainer.experiments.base import Experiment, Finding
from trainer.gradients import numerical_gradient
from trainer.optimizers.sgd import SGD

RATES = (0.1, 10.0, 1e-10)
STEPS = 100


class GradientDescent(Experiment):
    name = "gradient_descent"
    setting = "100 steps down f(x) = x0^2 + x1^2 from (-3, 4), its gradient by central differences"
    size = (9.0, 3.2)

    def run(self, figure: Figure) -> Finding:
        paths = {lr: _path(lr) for lr in RATES}
        for axes, (lr, path) in zip(figure.subplots(1, 3), paths.items(), strict=True):
            axes.semilogy(np.abs(path[:, 0]), label="|x0|")
            axes.semilogy(np.abs(path[:, 1]), "--", label="|x1|")
            axes.set_title(f"lr {lr:g}", fontsize=10)
            axes.set_xlabel("step")
        figure.axes[0].legend()
        suits, large, small = (path[-1] for path in paths.values())
        return Finding(
            {"lr_0.1": suits.tolist(), "lr_10": large.tolist(), "lr_1e-10": small.tolist()},
            {
                "with .1 each coordinate ends below 1e-9": bool(np.all(np.abs(suits) < 1e-9)),
                "with 10 it diverges, beyond 1e12": bool(np.all(np.abs(large) > 1e12)),
                "with 1e-10 it does not move": bool(np.allclose(small, (-3, 4), atol=1e-6)),
            },
        )


def _path(lr: float) -> np.ndarray:
    x = np.array([-3.0, 4.0])
    optimizer = SGD(x)
    path = [x.copy()]
    for _ in range(STEPS):
        optimizer.update(x, numerical_gradient(lambda v: float(np.sum(v**2)), x), lr)
        path.append(x.copy())
    return np.array(path)
