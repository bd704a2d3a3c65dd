"""What a trial promises."""

import math
from typing import get_args

import numpy as np
import pytest

from service.search.acquisition import Acquisition, Promise, gains

ONE = np.ones(1)


def test_expected_improvement_and_its_probability_are_those_of_the_normal_distribution() -> None:
    drawn = np.random.default_rng(0).normal(0.5, 2.0, 400_000)
    expected, probable, bound = (
        Promise(name, 1.0, 0.1, 1.5).of(0.5 * ONE, 2.0 * ONE)[0] for name in ("EI", "PI", "LCB")
    )
    assert math.exp(expected) == pytest.approx(np.maximum(drawn - 1.0 - 0.1, 0).mean(), rel=0.02)
    assert math.exp(probable) == pytest.approx((drawn > 1.1).mean(), rel=0.02)
    assert bound == pytest.approx(3.5)


@pytest.mark.parametrize("acquisition", get_args(Acquisition))
def test_its_slopes_are_those_of_differences(acquisition: Acquisition) -> None:
    promise = Promise(acquisition, best=0.3, xi=0.01, kappa=1.96)
    mean, deviation, step = np.array([-9.0, -1.0, 0.3, 2.0]), np.array([0.1, 0.5, 0.2, 1.0]), 1e-6
    _, by_mean, by_deviation = promise.slopes(mean, deviation)
    along_mean = (promise.of(mean + step, deviation) - promise.of(mean - step, deviation)) / (2 * step)
    along_deviation = (promise.of(mean, deviation + step) - promise.of(mean, deviation - step)) / (2 * step)
    assert by_mean == pytest.approx(along_mean, rel=1e-5)
    assert by_deviation == pytest.approx(along_deviation, rel=1e-5)


def test_however_little_a_point_promises_less_is_less_and_the_slope_is_finite() -> None:
    ratios = -np.logspace(0, 12, 200)
    logarithm, by_mean, by_deviation = gains(ratios)
    assert (np.diff(logarithm) < 0).all()
    assert np.isfinite([logarithm, by_mean, by_deviation]).all()
    assert by_mean[-1] == pytest.approx(1e12)
