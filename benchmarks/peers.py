"""The trainer's tasks by PyTorch and by scikit-learn, as near as they go; both come with the extra bench."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Images = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]


def torch_task(
    train: Images,
    validation: Images,
    widths: Sequence[int],
    *,
    optimizer: str,
    lr: float,
    decay: float,
    batch: int,
    epochs: int,
    replacement: bool = True,
) -> Callable[[], float]:
    """A training by PyTorch, eager and in one thread, ready to run; it gives the last validation accuracy."""
    import torch

    torch.set_num_threads(1)
    (x, t), (vx, vt) = ([torch.from_numpy(array) for array in part] for part in (train, validation))

    def run() -> float:
        torch.manual_seed(0)
        rng = np.random.default_rng(0)
        layers: list[Any] = []
        for n, m in pairwise(widths):
            linear = torch.nn.Linear(n, m)
            torch.nn.init.normal_(linear.weight, 0.0, (2 / n) ** 0.5)
            torch.nn.init.zeros_(linear.bias)
            layers += [linear, torch.nn.ReLU()]
        net = torch.nn.Sequential(*layers[:-1])
        weights = [p for p in net.parameters() if p.ndim == 2]
        biases = [p for p in net.parameters() if p.ndim == 1]
        groups = [{"params": weights, "weight_decay": decay}, {"params": biases, "weight_decay": 0.0}]
        kind = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[optimizer]
        moves = kind(groups, lr=lr)
        loss_of = torch.nn.CrossEntropyLoss()
        accuracy = 0.0
        for _ in range(epochs):
            for rows in _batches(len(t), batch, rng, replacement):
                moves.zero_grad()
                chosen = torch.from_numpy(rows)
                loss = loss_of(net(x[chosen]), t[chosen])
                loss.backward()
                moves.step()
            with torch.no_grad():
                for images, labels in ((x, t), (vx, vt)):
                    accuracy = float((net(images).argmax(1) == labels).float().mean())
        return accuracy

    return run


def sklearn_task(
    train: Images, validation: Images, hidden: Sequence[int], *, lr: float, decay: float, batch: int, epochs: int
) -> Callable[[], float]:
    """A training by MLPClassifier, a permutation an epoch, with the accuracy on both sets after each."""
    from sklearn.neural_network import MLPClassifier

    (x, t), (vx, vt) = train, validation
    classes = np.unique(t)

    def run() -> float:
        net = MLPClassifier(
            tuple(hidden),
            solver="sgd",
            momentum=0.0,
            alpha=decay * len(t),
            batch_size=batch,
            learning_rate_init=lr,
            random_state=0,
        )
        accuracy = 0.0
        for _ in range(epochs):
            net.partial_fit(x, t, classes=classes)
            net.score(x, t)
            accuracy = float(net.score(vx, vt))
        return accuracy

    return run


def _batches(n: int, batch: int, rng: np.random.Generator, replacement: bool) -> npt.NDArray[np.int64]:
    steps = max(1, n // batch)
    if replacement:
        return rng.integers(n, size=(steps, batch))
    return rng.permutation(n)[: steps * batch].reshape(steps, batch)
