from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.gradients import numerical_gradient
from trainer.losses import SoftmaxCrossEntropy, cross_entropy, mean_squared_error, softmax

TWO = np.array([0.1, 0.05, 0.6, 0.0, 0.05, 0.1, 0.0, 0.1, 0.0, 0.0])
SEVEN = np.array([0.1, 0.05, 0.1, 0.0, 0.05, 0.1, 0.0, 0.6, 0.0, 0.0])
ONE_HOT = np.eye(10)[2]


@pytest.mark.parametrize(("y", "entropy", "squared"), [(TWO, 0.5108, 0.0975), (SEVEN, 2.3026, 0.5975)])
def test_losses_are_those_of_the_textbook(y: np.ndarray, entropy: float, squared: float) -> None:
    assert cross_entropy(y, ONE_HOT) == pytest.approx(entropy, abs=5e-5)
    assert cross_entropy(y, np.array([2])) == pytest.approx(entropy, abs=5e-5)
    assert mean_squared_error(y, ONE_HOT) == pytest.approx(squared, abs=5e-5)


def test_losses_are_means_over_the_batch() -> None:
    y = np.stack([TWO, SEVEN])
    assert cross_entropy(y, np.array([2, 2])) == pytest.approx((0.5108 + 2.3026) / 2, abs=5e-5)
    assert cross_entropy(y, np.stack([ONE_HOT, ONE_HOT])) == cross_entropy(y, np.array([2, 2]))
    assert mean_squared_error(y, np.stack([ONE_HOT, ONE_HOT])) == pytest.approx((0.0975 + 0.5975) / 2)


def test_a_certain_and_wrong_prediction_has_a_finite_loss() -> None:
    assert 700 < cross_entropy(np.array([1.0, 0.0]), np.array([1])) < 710


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_of_logits_of_ten_thousand_is_stable(dtype: type) -> None:
    logits = np.array([[1e4, 0.0, -1e4], [1e4, 1e4, 1e4]], dtype)
    np.testing.assert_allclose(softmax(logits), [[1, 0, 0], [1 / 3, 1 / 3, 1 / 3]], rtol=1e-6)
    last = SoftmaxCrossEntropy(2, 3, dtype)
    last.resize(2)
    assert last.loss(logits, np.array([2, 0])) == pytest.approx((2e4 + np.log(3)) / 2, rel=1e-6)
    np.testing.assert_allclose(last.gradient(np.array([2, 0])) * 2, [[1, 0, -1], [-2 / 3, 1 / 3, 1 / 3]], atol=1e-6)


@given(rows=st.integers(1, 6), classes=st.integers(2, 6), seed=st.integers(0, 1000))
def test_softmax_with_cross_entropy_is_the_two_of_them_and_has_their_gradient(
    rows: int, classes: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    logits, labels = rng.normal(0, 3, (rows, classes)), rng.integers(classes, size=rows)
    last = SoftmaxCrossEntropy(8, classes, np.float64)
    last.resize(rows)
    assert last.loss(logits, labels) == pytest.approx(cross_entropy(softmax(logits), labels), rel=1e-9)
    gradient = last.gradient(labels).copy()
    expected = numerical_gradient(lambda x: last.loss(x, labels), logits)
    np.testing.assert_allclose(gradient, expected, atol=1e-7)


@given(st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=8))
def test_softmax_keeps_the_order_and_sums_to_one(numbers: list[float]) -> None:
    y = softmax(np.array(sorted(numbers)))
    assert y.sum() == pytest.approx(1)
    assert all(a <= b for a, b in pairwise(y))
