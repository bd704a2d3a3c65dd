"""The reference's task as a table, for searches to be simulated: `python -m benchmarks.real_task` trains every cell.

A cell is a learning rate, a weight decay, a split and a seed; it holds the validation accuracy after each epoch. Two
processes take about ten minutes for it.
"""

import os
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from itertools import product
from multiprocessing import get_context
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from tqdm import tqdm

from trainer.objectives import Diverged
from trainer.objectives.multi_layer_net import MultiLayerNetObjective

FILE = Path(__file__).with_name("real_task.npz")
LEARNING_RATES = np.geomspace(1e-6, 3, 27)
WEIGHT_DECAYS = np.geomspace(1e-8, 1, 9)
SPLITS, SEEDS, EPOCHS, PROCESSES = 3, 3, 50, 2
DIVERGED = 255


def curve(cell: tuple[int, float, float, int]) -> list[int]:
    """Hundredths of validation accuracy after each epoch (of 100 images, so that they are exact)."""
    split, lr, decay, seed = cell
    objective = MultiLayerNetObjective()
    settings = objective.Settings.model_validate({"lr": lr, "weight_decay": decay, "epochs": EPOCHS})
    hundredths: list[int] = []
    epochs = objective.train(settings, seed=seed, split_seed=split)
    with suppress(Diverged):
        hundredths.extend(round(100 * epoch["validation_accuracy"]) for epoch in epochs)
    return hundredths + [DIVERGED] * (EPOCHS - len(hundredths))


def main() -> None:
    cells = list(product(range(SPLITS), LEARNING_RATES.tolist(), WEIGHT_DECAYS.tolist(), range(SEEDS)))
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        curves = list(tqdm(pool.map(curve, cells, chunksize=8), total=len(cells)))
    shape = (SPLITS, len(LEARNING_RATES), len(WEIGHT_DECAYS), SEEDS, EPOCHS)
    table = np.array(curves, dtype=np.uint8).reshape(shape)
    np.savez_compressed(FILE, lr=LEARNING_RATES, weight_decay=WEIGHT_DECAYS, curves=table)


if __name__ == "__main__":
    main()
