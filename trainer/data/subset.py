"""Which images of the full MNIST are embedded, and in what order: the same ones for whoever has all of them."""

from typing import Final

import numpy as np
import numpy.typing as npt

SEED: Final = 20160924
SIZES: Final = {"train": 5_000, "t10k": 1_000}
FULL: Final = {"train": 60_000, "t10k": 10_000}


def embedded_first(n: int) -> npt.NDArray[np.int64]:
    """The numbers of n images of the full set in a fixed random order, of which the first ones are embedded."""
    return np.random.default_rng(SEED).permutation(n)
