"""The search of the demonstration: learning rate and weight decay of a deep net on 500 digits."""

from service.protocol import StudySpec


def study_of(name: str, trials: int) -> StudySpec:
    """As in the textbook experiment that it repeats, with the ranges given there."""
    return StudySpec.model_validate(
        {
            "name": name,
            "objective": {
                "name": "multi_layer_net",
                "settings": {
                    "dataset": "mnist",
                    "train_size": 500,
                    "validation_fraction": 0.2,
                    "epochs": 50,
                    "batch_size": 100,
                    "hidden_sizes": [100, 100, 100, 100, 100, 100],
                    "activation": "relu",
                    "weight_init": "he",
                    "optimizer": "sgd",
                },
            },
            "metric": {"name": "validation_accuracy", "goal": "maximize"},
            "space": {
                "lr": {"type": "float", "low": 1e-6, "high": 1e-2, "scale": "log"},
                "weight_decay": {"type": "float", "low": 1e-8, "high": 1e-4, "scale": "log"},
            },
            "search": {"algorithm": "random", "seed": 0},
            "budget": {"trials": trials},
        }
    )
