"""Values bent until they look as if a Gaussian process had made them."""

import numpy as np

from service.search.axes import Floats

POWERS = np.linspace(-2.0, 2.0, 41)
TOLERANCE = 30.0


def scores_of(values: Floats) -> Floats:
    """Scores of mean 0 and deviation 1, of which more is better as it is of the values.

    Losses fall off steeply around their best region and for a few points to where nobody will
    look again. A process that has to explain those expects everything to be steep. So losses
    are bent by that one of Yeo and Johnson's transforms that makes them the likeliest to be
    normal; those far beyond the median are cut first, lest one diverged loss decide.
    """
    # Halved, because the difference of two numbers near the largest that there are is infinite.
    halves = values / 2
    losses = halves.max() - halves
    if (middle := float(np.median(losses))) > 0:
        losses = np.minimum(losses / middle, TOLERANCE)
    normal = standard(losses)
    return standard(-bent(normal, likeliest_power(normal)))


def standard(values: Floats) -> Floats:
    """Of mean 0 and deviation 1; all 0 where all are equal."""
    # Divided by the largest first: the square of a tiny number is 0.
    width = np.ptp(values)
    if width == 0:
        return np.zeros_like(values)
    shares = (values - values.min()) / width
    return np.asarray((shares - shares.mean()) / shares.std())


def likeliest_power(normal: Floats) -> float:
    """The power whose transform of these numbers is the likeliest sample of a normal distribution."""
    volume = float((np.sign(normal) * np.log1p(np.abs(normal))).sum())
    spreads = np.array([bent(normal, power).var() for power in POWERS])
    likelihoods = (POWERS - 1) * volume - 0.5 * len(normal) * np.log(np.maximum(spreads, 1e-300))
    return float(POWERS[np.argmax(likelihoods)])


def bent(numbers: Floats, power: float) -> Floats:
    """Yeo and Johnson's transform: 1 leaves all as it is, less presses the large together."""
    return _raised(np.maximum(numbers, 0.0), power) - _raised(np.maximum(-numbers, 0.0), 2 - power)


def _raised(numbers: Floats, power: float) -> Floats:
    """((1 + x)^power - 1) / power, and its limit log(1 + x)."""
    logarithms = np.log1p(numbers)
    return np.asarray(logarithms if abs(power) < 1e-9 else np.expm1(power * logarithms) / power)
