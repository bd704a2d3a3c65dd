"""Epochs as objectives report them."""

import numpy as np
import pytest

from worker.epochs import epoch_of
from worker.outcome import Unusable


def test_scalars_of_numpy_are_numbers() -> None:
    epoch = epoch_of({"epoch": np.int64(2), "train_loss": np.float32(0.5), "accuracy": 1})
    assert epoch.model_dump() == {"epoch": 2, "train_loss": 0.5, "accuracy": 1.0}


def test_a_number_that_is_not_finite_is_left_out() -> None:
    assert epoch_of({"epoch": 1, "auc": float("nan"), "loss": 0.5}).model_dump() == {"epoch": 1, "loss": 0.5}


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"train_loss": 0.5}, "which epoch"),
        ({"epoch": 1.5}, "whole number"),
        ({"epoch": "one"}, "epoch must be a number"),
        ({"epoch": -1}, "epoch cannot be"),
        ({"epoch": 1, "train_loss": "low"}, "train_loss must be a number"),
        ({"epoch": 1, "train_loss": np.zeros(3)}, "train_loss must be a number"),
        ({"epoch": 1, "train loss": 0.5}, "train loss"),
    ],
)
def test_what_is_no_epoch_is_refused_with_a_sentence(raw: dict[str, object], said: str) -> None:
    with pytest.raises(Unusable, match=said):
        epoch_of(raw)
