"""The validation accuracy of the reference's net by its learning rate: better up to a cliff."""

from statistics import mean

from matplotlib.figure import Figure

from trainer import objectives
from trainer.errors import Diverged
from trainer.experiments.base import Experiment, Finding

KNOWN = {1e-4: 0.10, 1e-3: 0.22, 3.2e-3: 0.51, 1e-2: 0.74, 3.2e-2: 0.81, 1e-1: 0.84, 1.8e-1: 0.86}
CLIFF, BEYOND = 3.2e-1, 5.6e-1
SEEDS = range(4)
GUESSING = 0.1


class LearningRates(Experiment):
    name = "learning_rates"
    setting = "500 images of MNIST, 784-6x100-10, 50 epochs, by learning rate: the mean of four seeds on one split"

    def run(self, figure: Figure) -> Finding:
        found = {lr: [accuracy(lr, seed) for seed in SEEDS] for lr in (*KNOWN, CLIFF, BEYOND)}
        axes = figure.subplots()
        for lr, values in found.items():
            axes.semilogx([lr] * len(values), values, "C0.", alpha=0.5)
        axes.semilogx(list(found), [mean(values) for values in found.values()], "C0-", label="mean of four seeds")
        axes.semilogx(list(KNOWN), list(KNOWN.values()), "kx", label="known")
        axes.set(xlabel="learning rate", ylabel="validation accuracy", ylim=(0, 1))
        axes.legend()
        means = {lr: mean(values) for lr, values in found.items()}
        return Finding(
            {f"lr_{lr:g}": round(value, 3) for lr, value in means.items()},
            {
                "up to .18 the accuracies are those known, to .08": all(
                    abs(means[lr] - value) < 0.08 for lr, value in KNOWN.items()
                ),
                "at .32 seeds differ, by more than .1": max(found[CLIFF]) - min(found[CLIFF]) > 0.1,
                "at .56 it diverges or learns little: below .35": means[BEYOND] < 0.35,
            },
        )


def accuracy(lr: float, seed: int, weight_decay: float = 0.0) -> float:
    """The validation accuracy after 50 epochs; that of guessing where the loss diverges."""
    objective = objectives.find("multi_layer_net")
    assert objective is not None
    settings = objective.Settings.model_validate({"lr": lr, "weight_decay": weight_decay})
    last = GUESSING
    try:
        for epoch in objective.train(settings, seed=seed, split_seed=0):
            last = epoch["validation_accuracy"]
    except Diverged:
        return GUESSING
    return last
