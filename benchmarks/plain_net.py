"""The reference task in plain float64 NumPy, straight from the formulas: what the trainer is measured against."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


class PlainNet:
    """Affine and ReLU layers, softmax with cross-entropy, L2 weight decay; He's initial weights."""

    def __init__(self, widths: list[int], weight_decay: float, rng: np.random.Generator) -> None:
        self.weights = [rng.normal(0, np.sqrt(2 / n), (n, m)) for n, m in pairwise(widths)]
        self.biases = [np.zeros(m) for m in widths[1:]]
        self.weight_decay = weight_decay

    def forward(self, x: Array) -> list[Array]:
        """The input, the output of each hidden layer, and the logits."""
        outputs = [x]
        for weights, biases in zip(self.weights[:-1], self.biases[:-1], strict=True):
            outputs.append(np.maximum(outputs[-1] @ weights + biases, 0))
        return [*outputs, outputs[-1] @ self.weights[-1] + self.biases[-1]]

    def step(self, x: Array, t: Labels, lr: float) -> float:
        """One step of gradient descent; the loss before it."""
        *outputs, logits = self.forward(x)
        y = np.exp(logits - logits.max(axis=1, keepdims=True))
        y /= y.sum(axis=1, keepdims=True)
        rows = np.arange(len(t))
        loss = -np.log(y[rows, t]).mean() + 0.5 * self.weight_decay * sum(np.sum(w**2) for w in self.weights)
        y[rows, t] -= 1
        gradient = y / len(t)
        gradients = []
        for layer in reversed(range(len(self.weights))):
            weights = self.weights[layer]
            gradients.append((outputs[layer].T @ gradient + self.weight_decay * weights, gradient.sum(axis=0)))
            if layer:
                gradient = (gradient @ weights.T) * (outputs[layer] > 0)
        for layer, (dw, db) in enumerate(reversed(gradients)):
            self.weights[layer] -= lr * dw
            self.biases[layer] -= lr * db
        return float(loss)

    def accuracy(self, x: Array, t: Labels) -> float:
        """The share of x whose largest logit is at the label."""
        return float((self.forward(x)[-1].argmax(axis=1) == t).mean())


def train(
    train: tuple[Array, Labels],
    validation: tuple[Array, Labels],
    widths: list[int],
    seed: int,
    lr: float,
    weight_decay: float,
    epochs: int = 50,
    batch_size: int = 100,
) -> Iterator[tuple[list[float], float, float]]:
    """Hand out the losses of the steps and the accuracies on both sets, after each epoch."""
    initial, batches = (np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(2))
    net = PlainNet(widths, weight_decay, initial)
    x, t = train
    for _ in range(epochs):
        losses = []
        for _ in range(max(1, len(x) // batch_size)):
            rows = batches.integers(len(x), size=batch_size)
            losses.append(net.step(x[rows], t[rows], lr))
        yield losses, net.accuracy(x, t), net.accuracy(*validation)
