"""How fast the trainer is: `python -m benchmarks.trainer` runs it beside yardsticks, in one thread, in turn.

The yardsticks of the reference task are its matrix products alone, in float32 and in buffers allocated beforehand; the
same products with dy W^T as a net has to take it, W changing from step to step; the same net in plain float64 NumPy;
and, with the extra bench, PyTorch and scikit-learn.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
if not __package__:  # run as a file, its own name would hide the package trainer
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import numpy as np
import numpy.typing as npt

from benchmarks import peers, plain_net
from trainer.data import training_images
from trainer.data.split import Split, split
from trainer.objectives import find

WIDTHS = [784, 100, 100, 100, 100, 100, 100, 10]
LR, WEIGHT_DECAY, SEED = 0.0092, 3.86e-7, 0
EPOCHS, STEPS, BATCH = 50, 4, 100
IMAGES = 500  # 400 to train on and 100 to validate on; all are judged after each epoch, a batch at a time
Run = Callable[[], object]


def train(**changes: Any) -> list[dict[str, float]]:
    """One training by the trainer, as a worker would run it."""
    objective = find("multi_layer_net")
    assert objective is not None
    settings = objective.Settings.model_validate({"lr": LR, "weight_decay": WEIGHT_DECAY} | changes)
    return list(objective.train(settings, seed=SEED, split_seed=0))


def plain() -> list[tuple[list[float], float, float]]:
    """The reference task in plain float64."""
    data = split(training_images("mnist"), IMAGES, 0.2, split_seed=0, dtype=np.float64)
    (x, t), (vx, vt) = arrays(data)
    return list(plain_net.train((x, t), (vx, vt), WIDTHS, SEED, LR, WEIGHT_DECAY, EPOCHS, BATCH))


def arrays(data: Split) -> tuple[Any, Any]:
    """The images and labels of both sides, as others take them."""
    return next(data.train.parts(len(data.train.t))), next(data.validation.parts(len(data.validation.t)))


class Products:
    """The products of one layer, n inputs and m outputs, for a batch, with all buffers allocated beforehand."""

    def __init__(self, n: int, m: int, rng: np.random.Generator, *, given_transposes: bool) -> None:
        self.x, self.dx = (rng.standard_normal((BATCH, n), np.float32) for _ in range(2))
        self.y, self.dy = (rng.standard_normal((BATCH, m), np.float32) for _ in range(2))
        self.w, self.dw = (rng.standard_normal((n, m), np.float32) for _ in range(2))
        # Some kernels of BLAS are slower at reading W as its transpose than at one that lies in memory as such.
        self.w_transposed = np.ascontiguousarray(self.w.T) if given_transposes else self.w.T

    def forward(self, x: npt.NDArray[np.float32]) -> None:
        np.matmul(x, self.w, out=self.y)

    def backward(self, *, first: bool) -> None:
        np.matmul(self.x.T, self.dy, out=self.dw)
        if not first:
            np.matmul(self.dy, self.w_transposed, out=self.dx)


def matrix_products(*, given_transposes: bool) -> Run:
    """The products of the reference task, and nothing else, whether or not each W^T is there without a copy."""
    rng = np.random.default_rng(SEED)
    first, *others = (Products(n, m, rng, given_transposes=given_transposes) for n, m in pairwise(WIDTHS))
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


def compare(task: str, ours: Run, others: Mapping[str, Run], rounds: int) -> None:
    """Run all in turn, once to warm up, and print the medians, and those of the ratios within a round."""
    runs = {"trainer": ours, **others}
    for run in runs.values():
        run()
    times = [{name: seconds(run) for name, run in runs.items()} for _ in range(rounds)]
    print(f"{task}: medians of {rounds} rounds, one thread")
    print(f"  {'trainer':<34} {median(one['trainer'] for one in times) * 1e3:10.1f} ms")
    for name in others:
        middle = median(one[name] for one in times) * 1e3
        ratio = median(one["trainer"] / one[name] for one in times)
        print(f"  {name:<34} {middle:10.1f} ms   trainer / this {ratio:6.2f}", flush=True)


def seconds(run: Run) -> float:
    """How long one run takes."""
    started = perf_counter()
    run()
    return perf_counter() - started


def reference() -> None:
    """784 - 6 x 100 - 10, batches of 100, 50 epochs of 4 steps, accuracy on both sets after each."""
    sides = arrays(split(training_images("mnist"), IMAGES, 0.2, split_seed=0))
    others: dict[str, Run] = {
        "its float32 matrix products alone": matrix_products(given_transposes=True),
        "the same, dy W^T from W": matrix_products(given_transposes=False),
        "plain float64 NumPy": plain,
    }
    task: dict[str, Any] = {"lr": LR, "decay": WEIGHT_DECAY, "batch": BATCH, "epochs": EPOCHS}
    if find_spec("torch"):
        others["PyTorch, eager"] = peers.torch_task(*sides, WIDTHS, optimizer="sgd", **task)
    if find_spec("sklearn"):
        others["scikit-learn's MLPClassifier"] = peers.sklearn_task(*sides, WIDTHS[1:-1], **task)
    compare("the reference task", train, others, 15)


def small() -> None:
    """64 - 50 - 10 on digits, batches of 32."""
    changes: dict[str, Any] = {
        "dataset": "digits",
        "train_size": None,
        "hidden_sizes": [50],
        "batch_size": 32,
        "epochs": 20,
        "lr": 0.1,
    }
    sides = arrays(split(training_images("digits"), None, 0.2, split_seed=0))
    others: dict[str, Run] = {}
    if find_spec("torch"):
        others["PyTorch, eager"] = peers.torch_task(
            *sides, [64, 50, 10], optimizer="sgd", lr=0.1, decay=WEIGHT_DECAY, batch=32, epochs=20
        )
    compare("a small net (digits, 64-50-10, batches of 32, 20 epochs)", lambda: train(**changes), others, 9)


def full() -> None:
    """784 - 100 - 100 - 10 on all of MNIST, Adam, 3 epochs."""
    if not os.environ.get("SHIBORI_DATA_DIR"):
        print("NOT RUN: all of MNIST, since SHIBORI_DATA_DIR names no folder with it.")
        return
    changes: dict[str, Any] = {
        "train_size": None,
        "hidden_sizes": [100, 100],
        "optimizer": "adam",
        "lr": 1e-3,
        "epochs": 3,
        "replacement": False,
        "weight_decay": 0.0,
    }
    sides = arrays(split(training_images("mnist"), None, 0.2, split_seed=0))
    print(f"all of MNIST: validation accuracy {train(**changes)[-1]['validation_accuracy']:.4f}")
    others: dict[str, Run] = {}
    if find_spec("torch"):
        others["PyTorch, eager"] = peers.torch_task(
            *sides, [784, 100, 100, 10], optimizer="adam", lr=1e-3, decay=0.0, batch=100, epochs=3, replacement=False
        )
    compare("all of MNIST (48,000 images, 784-100-100-10, Adam, 3 epochs)", lambda: train(**changes), others, 3)


def growth() -> None:
    """How the time of an epoch grows."""
    base: dict[str, Any] = {"epochs": 10}
    axes: dict[str, tuple[str, Sequence[int]]] = {
        "width of 3 hidden layers": ("hidden_width", (25, 50, 100, 200, 400)),
        "hidden layers of 100": ("hidden_layers", (1, 2, 4, 8, 16)),
        "batch size": ("batch_size", (10, 25, 50, 100, 200)),
        "images": ("train_size", (500, 1_000, 2_000, 4_000)),
    }
    print("how the time of an epoch grows from the reference task, median of 5")
    for title, (setting, values) in axes.items():
        more = {"hidden_layers": 3} if setting == "hidden_width" else {}
        row = []
        for value in values:
            changes = {**base, **more, setting: value}
            train(**changes)
            took = median(seconds(lambda changes=changes: train(**changes)) for _ in range(5))
            row.append(f"{value}: {took / base['epochs'] * 1e3:.1f} ms")
        print(f"  {title:<26} {', '.join(row)}", flush=True)


PROBE = """
import time; began = time.perf_counter()
from trainer.objectives import find
objective = find("multi_layer_net"); settings = objective.Settings()
run = objective.train(settings, seed=0, split_seed=0); next(run)
started = time.perf_counter() - began
list(run)
largest = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(started, int(largest.split()[1]) / 1024)
"""
WORKER_PROBE = """
import time; began = time.perf_counter()
import worker.child, trainer.objectives
trainer.objectives.known()
print(time.perf_counter() - began)
"""


def process() -> None:
    """What a process that trains takes before its first epoch is over, and its memory when all are."""
    probes = [[float(part) for part in _python(PROBE).split()] for _ in range(5)]
    print("a process of its own, median of 5")
    print(f"  to the end of the first epoch      {median(one[0] for one in probes):8.2f} s")
    print(f"  a worker's imports                 {median(float(_python(WORKER_PROBE)) for _ in range(5)):8.2f} s")
    print(f"  largest memory, reference task     {median(one[1] for one in probes):8.0f} MB")


def _python(code: str) -> str:
    embedded = {name: value for name, value in os.environ.items() if name != "SHIBORI_DATA_DIR"}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=embedded).stdout


def main() -> None:
    last, (_, accuracy, validation) = train()[-1], plain()[-1]
    print("accuracy after 50 epochs      training  validation")
    print(f"  trainer, float32            {last['train_accuracy']:8.3f}  {last['validation_accuracy']:10.3f}")
    print(f"  plain NumPy, float64        {accuracy:8.3f}  {validation:10.3f}")
    if not find_spec("torch"):
        print("NOT RUN: PyTorch, which comes with the extra bench.")
    for part in (reference, small, full, growth, process):
        part()


if __name__ == "__main__":
    main()
