"""What initial weights do to the activations of deep layers."""

import numpy as np
from matplotlib.figure import Figure

from trainer.activations import ActivationName
from trainer.experiments.base import Experiment, Finding
from trainer.initializers import Initializer, he, normal, xavier
from trainer.network import Architecture, MultiLayerNet

ROWS, WIDTH, LAYERS = 1_000, 100, 5
CASES: dict[str, tuple[ActivationName, Initializer]] = {
    "sigmoid, std 1": ("sigmoid", normal(1.0)),
    "sigmoid, std .01": ("sigmoid", normal(0.01)),
    "sigmoid, Xavier": ("sigmoid", xavier),
    "tanh, Xavier": ("tanh", xavier),
    "ReLU, std .01": ("relu", normal(0.01)),
    "ReLU, Xavier": ("relu", xavier),
    "ReLU, He": ("relu", he),
}
KNOWN_MEANS = (0.0396, 0.0029, 0.000197, 1.3e-5, 9.5e-7)


class ActivationSpread(Experiment):
    name = "activation_spread"
    setting = "1,000 normal inputs through five layers of 100 units, with the initial weights only"
    size = (10.0, 11.0)

    def run(self, figure: Figure) -> Finding:
        outputs = {case: _outputs(*how) for case, how in CASES.items()}
        grid = figure.subplots(len(CASES), LAYERS, sharex="row")
        for row, (case, layers) in zip(grid, outputs.items(), strict=True):
            row[0].set_ylabel(case, fontsize=8)
            low, high = {"s": (0, 1), "t": (-1, 1), "R": (0, 1)}[case[0]]
            for axes, layer in zip(row, layers, strict=True):
                axes.hist(layer.ravel(), bins=30, range=(low, high))
                axes.tick_params(labelsize=6)
                if _is_relu(case):
                    axes.set_ylim(0, 7_000)
        means = [float(layer.mean()) for layer in outputs["ReLU, std .01"]]
        last = {case: layers[-1] for case, layers in outputs.items()}
        drift = [float(layer.std()) for layer in outputs["ReLU, Xavier"]]
        kept = [float(layer.std()) for layer in outputs["ReLU, He"]]
        ends = float(np.mean(np.abs(last["sigmoid, std 1"] - 0.5) > 0.4))
        bell, _ = np.histogram(last["tanh, Xavier"], bins=9, range=(-1, 1))
        return Finding(
            {
                "sigmoid_std_1_share_within_.1_of_the_ends": round(ends, 3),
                "sigmoid_std_.01_deviation": round(float(last["sigmoid, std .01"].std()), 4),
                "sigmoid_xavier_deviation": round(float(last["sigmoid, Xavier"].std()), 4),
                "relu_std_.01_means": means,
                "relu_xavier_deviations": drift,
                "relu_he_deviations": kept,
            },
            {
                "sigmoid with std 1 piles up at 0 and 1": ends > 0.5,
                "sigmoid with std .01 stays around .5": float(np.abs(last["sigmoid, std .01"] - 0.5).max()) < 0.1,
                "sigmoid with Xavier is spread": 0.05 < float(last["sigmoid, Xavier"].std()) < 0.3,
                "tanh with Xavier is bell-shaped": bool(
                    np.all(np.diff(bell[:5]) > 0) and np.all(np.diff(bell[4:]) < 0)
                ),
                "ReLU with std .01 has the layer means .0396, .0029, .000197, 1.3e-5, 9.5e-7 (to a quarter)": all(
                    abs(mean / known - 1) < 0.25 for mean, known in zip(means, KNOWN_MEANS, strict=True)
                ),
                "ReLU with Xavier drifts to 0 with depth": all(np.diff(drift) < 0) and drift[-1] < drift[0] / 2,
                "ReLU with He keeps its spread": all(0.7 < now / kept[0] < 1.4 for now in kept),
            },
        )


def _is_relu(case: str) -> bool:
    """Half of what it gives are zeros, which would leave no room in a picture for the rest."""
    return CASES[case][0] == "relu"


def _outputs(activation: ActivationName, initializer: Initializer) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    network = MultiLayerNet(
        Architecture(widths=[WIDTH] * (LAYERS + 2), activation=activation),
        ROWS,
        initializer=initializer,
        rng=rng,
    )
    x = rng.normal(size=(ROWS, WIDTH)).astype(np.float32)
    network.logits(x)
    outputs = []
    for layer in network.layers[:-1]:
        x = layer.forward(x, training=False)
        if type(layer).__name__ != "Affine":
            outputs.append(x.copy())
    return outputs
