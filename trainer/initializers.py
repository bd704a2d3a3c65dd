"""Initial weights: normal numbers, whose spread keeps the signal alive from layer to layer."""

from collections.abc import Callable, Mapping
from math import sqrt
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import numpy as np

from trainer.arrays import Floats

Initializer: TypeAlias = Callable[[Floats, np.random.Generator], None]
InitializerName: TypeAlias = Literal["auto", "he", "xavier", "std", "zero"]


def he(weights: Floats, rng: np.random.Generator) -> None:
    """Fill weights (n, m) with a standard deviation of sqrt(2/n), for ReLU (He et al. 2015)."""
    _fill(weights, sqrt(2 / len(weights)), rng)


def xavier(weights: Floats, rng: np.random.Generator) -> None:
    """Fill weights (n, m) with a standard deviation of sqrt(1/n), for sigmoid and tanh (Glorot & Bengio 2010)."""
    _fill(weights, sqrt(1 / len(weights)), rng)


def normal(std: float) -> Initializer:
    """The initializer that fills weights with a given standard deviation; 0 makes them all zero."""
    return lambda weights, rng: _fill(weights, std, rng)


BEST: Final[Mapping[str, Initializer]] = MappingProxyType({"relu": he, "sigmoid": xavier, "tanh": xavier})


def choose(name: InitializerName, *, activation: str, std: float) -> Initializer:
    """The initializer of that name; auto is the one that suits the activation, std has the given spread, zero none."""
    match name:
        case "auto":
            return BEST[activation]
        case "he":
            return he
        case "xavier":
            return xavier
        case "std":
            return normal(std)
        case "zero":
            return normal(0.0)


def _fill(weights: Floats, std: float, rng: np.random.Generator) -> None:
    # Drawn in float64 whatever the dtype, so that a net has the same initial weights in each.
    weights[...] = rng.normal(0.0, std, weights.shape)
