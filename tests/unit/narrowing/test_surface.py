"""The Gaussian process behind the rule by evidence."""

import numpy as np
import pytest

from service.narrowing.likelihood import fitted, left_out, likelihood, pairs
from service.narrowing.surface import Belief, Sample, Shape, Surface

RNG = np.random.default_rng(0)
POINTS = RNG.random((30, 2))
FIRST, SECOND = pairs(30)
SQUARES = np.square(POINTS[FIRST] - POINTS[SECOND]).T
NOISE = 0.1 * RNG.standard_normal(30)
SCORES = np.sin(5 * POINTS[:, 0]) + NOISE
OWNERS = np.arange(2)
SHAPE = Shape(np.array([0.4, 3.0]), 1.2, 0.05)


def sample(loudness: float = 1.0) -> Sample:
    return Sample(SCORES, np.linspace(1, loudness, 30), Belief(variance=0.02, spread=1.0))


@pytest.mark.parametrize("index", range(4))
def test_the_slope_of_the_likelihood_is_that_of_differences(index: int) -> None:
    step = np.eye(4)[index] * 1e-5
    up, down = (likelihood(SQUARES, sample(3), Shape.at(SHAPE.theta + way * step))[0] for way in (1, -1))
    assert likelihood(SQUARES, sample(3), SHAPE)[1][index] == pytest.approx((up - down) / 2e-5, rel=1e-4)


def test_a_fit_finds_which_parameter_matters_and_how_loud_the_noise_is() -> None:
    shape, best = fitted(SQUARES, sample(), SHAPE)
    assert shape.lengths[1] > 5 * shape.lengths[0]
    assert shape.noise == pytest.approx(np.var(NOISE), rel=0.8)
    assert best >= likelihood(SQUARES, sample(), SHAPE)[0]


def test_what_is_left_out_is_said_by_a_surface_through_the_others() -> None:
    others = np.arange(30) != 7
    surface = Surface.through(SHAPE, OWNERS, POINTS[others], sample(2).of(np.flatnonzero(others)))
    assert left_out(SQUARES, sample(2), SHAPE)[0][7] == pytest.approx(surface.predict(POINTS[[7]])[0][0])


def test_drawn_functions_have_the_mean_and_the_deviation_that_are_predicted() -> None:
    surface = Surface.through(SHAPE, OWNERS, POINTS, sample())
    points = np.array([[0.5, 0.5], [2.0, 0.5]])
    drawn = surface.draw(points, 20_000, np.random.default_rng(1))
    mean, deviation = surface.predict(points)
    assert drawn.mean(axis=0) == pytest.approx(mean, abs=0.03)
    assert drawn.std(axis=0) == pytest.approx(deviation, rel=0.03)


def test_far_from_all_points_nothing_is_known() -> None:
    mean, deviation = Surface.through(SHAPE, OWNERS, POINTS, sample()).predict(np.array([[100.0, 0.5]]))
    assert mean[0] == pytest.approx(0, abs=1e-9)
    assert deviation[0] == pytest.approx(SHAPE.signal**0.5)
