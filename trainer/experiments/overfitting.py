"""A net that learns 300 images by heart, and what keeps it from that."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trainer.experiments import runs
from trainer.experiments.base import Experiment, Finding

IMAGES, EPOCHS, HIDDEN, LR = 300, 201, 6, 0.01
Curve = list[tuple[float, float]]


class Overfitting(Experiment):
    name = "overfitting"
    setting = "300 images of MNIST, seven layers, six of them of 100 ReLU units, SGD, lr .01, 201 epochs"

    def run(self, figure: Figure) -> Finding:
        curve = learned()
        draw(figure.subplots(), curve)
        train, test = curve[-1]
        return Finding(
            {"train_accuracy_after_100": curve[99][0], "train_accuracy": train, "test_accuracy": test},
            {
                "training accuracy is about 100% after 100 epochs": curve[99][0] > 0.98,
                "test accuracy is far below": train - test > 0.15,
            },
        )


class WeightDecay(Experiment):
    name = "weight_decay"
    setting = "the net of overfitting, with and without a weight decay of .1"
    size = (9.0, 4.0)

    def run(self, figure: Figure) -> Finding:
        return against_plain(figure, "weight decay .1", learned(l2=0.1), below_all=True)


class DropoutAgainstOverfitting(Experiment):
    name = "dropout"
    setting = "the net of overfitting, with and without a dropout of .15"
    size = (9.0, 4.0)

    def run(self, figure: Figure) -> Finding:
        return against_plain(figure, "dropout .15", learned(dropout=0.15), below_all=False)


def learned(*, l2: float = 0.0, dropout: float = 0.0) -> Curve:
    """The accuracies on the training and on the test images after each epoch."""
    network = runs.net(HIDDEN, l2=l2, dropout=dropout)
    epochs = runs.epochs(network, runs.mnist(IMAGES), runs.mnist_test(), EPOCHS, LR)
    return [(epoch.train_accuracy, epoch.validation_accuracy) for epoch in epochs]


def draw(axes: Axes, curve: Curve, title: str = "") -> None:
    """The accuracies by epoch."""
    train, test = zip(*curve, strict=True)
    axes.plot(test, label="test")
    axes.plot(train, "--", label="training")
    axes.set(xlabel="epoch", ylabel="accuracy", ylim=(0, 1.02), title=title)
    axes.legend()


def against_plain(figure: Figure, what: str, curve: Curve, *, below_all: bool) -> Finding:
    """Beside the net that nothing keeps from overfitting."""
    plain = learned()
    left, right = figure.subplots(1, 2, sharey=True)
    draw(left, plain, "without")
    draw(right, curve, what)
    gap, less = plain[-1][0] - plain[-1][1], curve[-1][0] - curve[-1][1]
    statements = {"the gap between training and test accuracy is smaller": less < gap}
    if below_all:
        statements["training accuracy stays below 100%"] = curve[-1][0] < 1.0
    return Finding(
        {
            "gap_without": round(gap, 3),
            "gap_with": round(less, 3),
            "train_accuracy_with": curve[-1][0],
            "test_accuracy_with": curve[-1][1],
            "test_accuracy_without": plain[-1][1],
        },
        statements,
    )
