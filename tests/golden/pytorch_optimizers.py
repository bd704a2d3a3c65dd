"""Fifty steps of PyTorch's optimizers in float64; `python tests/golden/pytorch_optimizers.py` (extra bench) records.

All come down the same bowl 1/2 w A w - b w, whose gradient A w - b each side computes for itself. Where a definition of
PyTorch's differs from the trainer's, the settings make them the same:
- AdaGrad and RMSprop divide by sqrt h + epsilon on both sides, but PyTorch's epsilon is 1e-10 and 1e-8.
- PyTorch's momentum and Nesterov keep b = a b + g and multiply by lr afterwards; the trainer keeps v = -lr b. While
  lr does not change, that is the same.
- AdamW of PyTorch shrinks all parameters that it is given; so does the trainer's here.
"""

import json
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).with_name("pytorch_optimizers.json")
STEPS, SIZE = 50, 12
CASES = {
    "sgd": {"lr": 0.1},
    "momentum": {"lr": 0.05, "momentum": 0.8},
    "nesterov": {"lr": 0.05, "momentum": 0.8},
    "adagrad": {"lr": 0.3, "epsilon": 1e-7},
    "rmsprop": {"lr": 0.02, "rho": 0.95, "epsilon": 1e-7},
    "adam": {"lr": 0.05, "beta1": 0.8, "beta2": 0.99, "epsilon": 1e-8},
    "adamw": {"lr": 0.05, "beta1": 0.8, "beta2": 0.99, "epsilon": 1e-8, "weight_decay": 0.1},
}


def bowl() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A (12, 12), b (12,) and where to start (12,)."""
    rng = np.random.default_rng(0)
    root = rng.normal(size=(SIZE, SIZE))
    return root @ root.T / SIZE, rng.normal(size=SIZE), rng.normal(size=SIZE)


def record() -> None:
    import torch

    kinds = {
        "sgd": lambda w, c: torch.optim.SGD(w, lr=c["lr"]),
        "momentum": lambda w, c: torch.optim.SGD(w, lr=c["lr"], momentum=c["momentum"]),
        "nesterov": lambda w, c: torch.optim.SGD(w, lr=c["lr"], momentum=c["momentum"], nesterov=True),
        "adagrad": lambda w, c: torch.optim.Adagrad(w, lr=c["lr"], eps=c["epsilon"]),
        "rmsprop": lambda w, c: torch.optim.RMSprop(w, lr=c["lr"], alpha=c["rho"], eps=c["epsilon"]),
        "adam": lambda w, c: torch.optim.Adam(w, lr=c["lr"], betas=(c["beta1"], c["beta2"]), eps=c["epsilon"]),
        "adamw": lambda w, c: torch.optim.AdamW(
            w, lr=c["lr"], betas=(c["beta1"], c["beta2"]), eps=c["epsilon"], weight_decay=c["weight_decay"]
        ),
    }
    a, b, start = (torch.from_numpy(array) for array in bowl())
    recorded = {"torch": torch.__version__.partition("+")[0]}
    for name, case in CASES.items():
        w = start.clone().requires_grad_()
        optimizer = kinds[name]([w], case)
        for _ in range(STEPS):
            w.grad = a @ w.detach() - b
            optimizer.step()
        recorded[name] = w.detach().tolist()
    GOLDEN.write_text(json.dumps(recorded, indent=1) + "\n")


if __name__ == "__main__":
    record()
