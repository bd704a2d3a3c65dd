"""How fast the trainer is: `python -m benchmarks.trainer` runs the reference task beside two yardsticks, in one thread.

The task is 784 - 6 x 100 - 10, batches of 100, 50 epochs of 4 steps on 400 images, accuracy on these and on 100
validation images after each. The yardsticks are the same net in plain float64 NumPy, and the matrix products of the
task alone, in float32 and in buffers allocated beforehand.
"""

import os
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter

os.environ["OPENBLAS_NUM_THREADS"] = "1"
if not __package__:  # run as a file, its own name would hide the package trainer
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import numpy as np
import numpy.typing as npt

from benchmarks import plain_net
from trainer.data import training_images
from trainer.data.split import split
from trainer.objectives import find

WIDTHS = [784, 100, 100, 100, 100, 100, 100, 10]
LR, WEIGHT_DECAY, SEED = 0.0092, 3.86e-7, 0
EPOCHS, STEPS, BATCH = 50, 4, 100
IMAGES = 500  # 400 to train on and 100 to validate on; all are judged after each epoch, a batch at a time
ROUNDS = 25


def trainer() -> list[dict[str, float]]:
    """The task, by the trainer."""
    objective = find("multi_layer_net")
    assert objective is not None
    settings = objective.Settings.model_validate({"lr": LR, "weight_decay": WEIGHT_DECAY})
    return list(objective.train(settings, seed=SEED, split_seed=0))


def plain() -> list[tuple[list[float], float, float]]:
    """The task, in plain float64."""
    data = split(training_images("mnist"), 500, 0.2, split_seed=0, dtype=np.float64)
    sets = (data.train.x, data.train.t), (data.validation.x, data.validation.t)
    return list(plain_net.train(*sets, WIDTHS, SEED, LR, WEIGHT_DECAY, EPOCHS, BATCH))


class Products:
    """The products of one layer, n inputs and m outputs, for a batch, with all buffers allocated beforehand."""

    def __init__(self, n: int, m: int, rng: np.random.Generator) -> None:
        self.x, self.dx = (rng.standard_normal((BATCH, n), np.float32) for _ in range(2))
        self.y, self.dy = (rng.standard_normal((BATCH, m), np.float32) for _ in range(2))
        self.w, self.dw = (rng.standard_normal((n, m), np.float32) for _ in range(2))

    def forward(self, x: npt.NDArray[np.float32]) -> None:
        np.matmul(x, self.w, out=self.y)

    def backward(self, *, first: bool) -> None:
        np.matmul(self.x.T, self.dy, out=self.dw)
        if not first:
            np.matmul(self.dy, self.w.T, out=self.dx)


def matrix_products() -> Callable[[], None]:
    """The products of the task, and nothing else."""
    rng = np.random.default_rng(SEED)
    first, *others = (Products(n, m, rng) for n, m in pairwise(WIDTHS))
    images = rng.standard_normal((IMAGES, WIDTHS[0]), np.float32)

    def forward(x: npt.NDArray[np.float32]) -> None:
        first.forward(x)
        for layer in others:
            layer.forward(layer.x)

    def run() -> None:
        for _ in range(EPOCHS):
            for _ in range(STEPS):
                forward(first.x)
                for layer in reversed(others):
                    layer.backward(first=False)
                first.backward(first=True)
            for start in range(0, IMAGES, BATCH):
                forward(images[start : start + BATCH])

    return run


def seconds(run: Callable[[], object]) -> float:
    """How long one run takes."""
    started = perf_counter()
    run()
    return perf_counter() - started


def rounds(number: int) -> Iterator[tuple[float, float, float]]:
    """The seconds of the trainer, of plain float64 and of the matrix products, each run once a round."""
    products = matrix_products()
    runs = (trainer, plain, products)
    for run in runs:
        run()
    for _ in range(number):
        yield seconds(trainer), seconds(plain), seconds(products)


def main() -> None:
    """Print the medians, and those of the ratios within a round."""
    last, (_, accuracy, validation) = trainer()[-1], plain()[-1]
    print("accuracy after 50 epochs      training  validation")
    print(f"  trainer, float32            {last['train_accuracy']:8.3f}  {last['validation_accuracy']:10.3f}")
    print(f"  plain NumPy, float64        {accuracy:8.3f}  {validation:10.3f}")
    times = list(rounds(ROUNDS))
    ours, plains, products = (median(column) for column in zip(*times, strict=True))
    print(f"median of {ROUNDS} alternating rounds, one thread")
    print(f"  trainer, float32            {ours * 1e3:8.1f} ms")
    print(f"  plain NumPy, float64        {plains * 1e3:8.1f} ms")
    print(f"  its matrix products alone   {products * 1e3:8.1f} ms")
    print(f"  trainer / plain float64     {median(a / b for a, b, _ in times):8.2f}")
    print(f"  trainer / matrix products   {median(a / c for a, _, c in times):8.2f}")


if __name__ == "__main__":
    main()
