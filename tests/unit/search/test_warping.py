"""Values bent into scores."""

import numpy as np
import pytest

from service.search.warping import bent, likeliest_power, scores_of, standard


def test_scores_keep_the_order_and_have_mean_zero_and_deviation_one() -> None:
    values = np.random.default_rng(0).standard_exponential(40)
    scores = scores_of(values)
    assert np.argsort(scores).tolist() == np.argsort(values).tolist()
    assert (scores.mean(), scores.std()) == (pytest.approx(0), pytest.approx(1))


def test_losses_over_many_decades_are_spread_evenly() -> None:
    losses = np.logspace(0, 3, 20)
    plain, scores = standard(-losses), scores_of(-losses)
    assert plain[0] - plain[9] < 0.1
    assert scores[0] - scores[9] > 4 * (plain[0] - plain[9])


def test_one_diverged_loss_does_not_flatten_the_others() -> None:
    scores = scores_of(np.array([*(n / 9 for n in range(8)), -1e300]))
    assert scores[7] - scores[6] > 0.1
    assert scores[0] - scores[8] > 0.1


@pytest.mark.parametrize("values", [[0.0], [3.0, 3.0], [1.7e308, -1.7e308, 1.0], [0.0, 5e-324, 1e-323], [-1e300, 0, 1]])
def test_numbers_of_any_size_have_finite_scores_in_their_order(values: list[float]) -> None:
    scores = scores_of(np.array(values))
    assert np.isfinite(scores).all()
    assert (np.diff(scores[np.argsort(values)]) >= 0).all()


def test_the_transform_is_yeo_and_johnsons() -> None:
    from scipy.stats import yeojohnson

    numbers = np.random.default_rng(1).standard_normal(50) ** 3
    for power in (-1.5, 0.0, 0.7, 2.0):
        assert bent(numbers, power) == pytest.approx(yeojohnson(numbers, lmbda=power))
    assert likeliest_power(numbers) == pytest.approx(yeojohnson(numbers)[1], abs=0.1)
