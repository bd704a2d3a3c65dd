"""Gradients by central differences: slow, and right to compare backpropagation with."""

from collections.abc import Callable

import numpy as np

from trainer.arrays import Floats


def numerical_gradient(function: Callable[[Floats], float], x: Floats, h: float = 1e-4) -> Floats:
    """(f(x + h) - f(x - h)) / 2h for each number of x, of any shape; x is changed in place and put back."""
    gradient = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        value = x[place]
        x[place] = value + h
        above = function(x)
        x[place] = value - h
        gradient[place] = (above - function(x)) / (2 * h)
        x[place] = value
    return gradient
