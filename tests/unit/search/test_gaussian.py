"""The Gaussian process: what is ours agrees with scikit-optimize's regressor and with differences."""

import math
from typing import Any

import numpy as np
import pytest

from service.search.axes import Floats
from service.search.gaussian import Process
from service.search.likelihood import Hyperparameters, likeliest, unlikelihood_of

GROUPS = np.array([0, 1, 1])
FOUND = Hyperparameters(1.7, (0.4, 0.9), 0.03)


def points(count: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).random((count, len(GROUPS)))


def scores(columns: Floats) -> Floats:
    values = np.sin(5 * columns[:, 0]) + columns[:, 1] * columns[:, 2]
    return np.asarray((values - values.mean()) / values.std())


def regressor(found: Hyperparameters) -> Any:
    from skopt.learning.gaussian_process import GaussianProcessRegressor
    from skopt.learning.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    kernel = ConstantKernel(found.scale) * Matern(np.array(found.lengths)[GROUPS], nu=2.5) + WhiteKernel(found.noise)
    return GaussianProcessRegressor(kernel=kernel, optimizer=None)


def test_what_it_expects_is_what_the_regressor_predicts() -> None:
    columns, elsewhere = points(20), points(7, seed=1)
    process = Process.of(FOUND, GROUPS, columns, scores(columns))
    mean, deviation = regressor(FOUND).fit(columns, scores(columns)).predict(elsewhere, return_std=True)
    assert process.predict(elsewhere)[0] == pytest.approx(mean)
    # Its deviation is that of the next result, ours that of the function.
    assert process.predict(elsewhere)[1] == pytest.approx(np.sqrt(deviation**2 - FOUND.noise))


def test_points_that_come_later_are_known_as_if_they_had_been_there_at_once() -> None:
    columns, elsewhere = points(20), points(7, seed=1)
    whole = Process.of(FOUND, GROUPS, columns, scores(columns))
    first = Process.of(FOUND, GROUPS, columns[:14], scores(columns[:14]))
    grown = first.with_points(columns[14:19]).with_points(columns[19:]).with_scores(scores(columns))
    for ours, at_once in zip(grown.predict(elsewhere), whole.predict(elsewhere), strict=True):
        assert ours == pytest.approx(at_once)


def test_several_at_once_that_lie_side_by_side_leave_it_exact_where_there_is_hardly_any_noise() -> None:
    sure = Hyperparameters(2.0, (0.4, 0.9), 1e-7)
    columns = np.vstack([points(20), 0.5 + 1e-3 * points(24, seed=1)])
    whole = Process.of(sure, GROUPS, columns, scores(columns))
    first = Process.of(sure, GROUPS, columns[:36], scores(columns[:36]))
    grown = first.with_points(columns[36:40]).with_points(columns[40:]).with_scores(scores(columns))
    assert grown.predict(columns)[0] == pytest.approx(whole.predict(columns)[0], abs=1e-5)


def test_its_slopes_are_those_of_differences() -> None:
    columns, elsewhere = points(20), points(5, seed=1)
    process = Process.of(FOUND, GROUPS, columns, scores(columns))
    mean, deviation, of_mean, of_deviation = process.slopes(elsewhere)
    assert (mean, deviation) == (
        pytest.approx(process.predict(elsewhere)[0]),
        pytest.approx(process.predict(elsewhere)[1]),
    )
    for column, step in enumerate(1e-6 * np.eye(len(GROUPS))):
        ahead, behind = process.predict(elsewhere + step), process.predict(elsewhere - step)
        assert of_mean[:, column] == pytest.approx((ahead[0] - behind[0]) / 2e-6, rel=1e-4, abs=1e-6)
        assert of_deviation[:, column] == pytest.approx((ahead[1] - behind[1]) / 2e-6, rel=1e-4, abs=1e-6)


def test_the_likelihood_is_the_regressors_and_its_slope_that_of_differences() -> None:
    columns = points(15)
    theta = np.log([FOUND.scale, *FOUND.lengths, FOUND.noise])
    value, slope = unlikelihood_of(columns, GROUPS, scores(columns), theta)
    model = regressor(FOUND).fit(columns, scores(columns))
    constant = len(columns) / 2 * math.log(2 * math.pi)
    assert value == pytest.approx(-model.log_marginal_likelihood_value_ - constant)
    for place, step in enumerate(1e-6 * np.eye(len(theta))):
        ahead, behind = (unlikelihood_of(columns, GROUPS, scores(columns), theta + way * step)[0] for way in (1, -1))
        assert slope[place] == pytest.approx((ahead - behind) / 2e-6, rel=1e-4)


def test_a_parameter_that_decides_nothing_gets_a_long_length_and_noise_is_told_from_signal() -> None:
    columns = points(60)
    chance = np.random.default_rng(2)
    clean = np.sin(5 * columns[:, 0])
    noisy = clean + 0.5 * chance.standard_normal(60)
    quiet, loud = (likeliest(columns, GROUPS, (values - values.mean()) / values.std()) for values in (clean, noisy))
    assert quiet.lengths[1] > 3 * quiet.lengths[0]
    assert loud.noise > 100 * quiet.noise
    assert loud.noise == pytest.approx(0.25 / (noisy.std() ** 2), rel=0.6)


def test_it_meets_what_it_has_seen_and_doubts_what_it_has_not() -> None:
    columns = np.linspace(0, 0.5, 6)[:, np.newaxis]
    values = np.sin(6 * columns[:, 0])
    process = Process.fitted(columns, np.array([0]), (values - values.mean()) / values.std())
    mean, deviation = process.predict(np.array([[0.1], [1.0]]))
    assert mean[0] * values.std() + values.mean() == pytest.approx(math.sin(0.6), abs=0.05)
    assert deviation[1] > 5 * deviation[0]
