"""Confirmations and final tests as a person reads them."""

from typing import Any

import pytest

from service.protocol import Confirmation, FinalTest
from shibori.confirmed import confirmation_lines, final_test_line

ITEM: dict[str, Any] = {
    "trial": 4,
    "params": {"lr": 0.0092},
    "search_value": 0.83,
    "repeats": [10, 11],
    "values": [0.8, 0.82],
    "missing": 0,
    "diverged": 0,
    "mean": 0.81,
    "interval": (0.7, 0.9),
    "rank": 1,
    "leader": True,
    "difference": None,
}
FINAL: dict[str, Any] = {
    "status": "completed",
    "trial": 4,
    "number": 12,
    "params": {"lr": 0.0092},
    "opened_at": "2026-01-01T12:00:00Z",
    "accuracy": 0.81,
    "interval": (0.78, 0.83),
    "samples": 1000,
    "failure": None,
}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "1. trial 4: 0.81 (0.7 to 0.9) | lr:0.0092"),
        (
            {"rank": 2, "leader": False, "difference": {"mean": -0.05, "interval": (-0.06, -0.04), "p": 0.012}},
            "2. trial 4: 0.81 (0.7 to 0.9), -0.05 from the best (told apart, p 0.012) | lr:0.0092",
        ),
        (
            {"rank": 2, "interval": None, "difference": {"mean": 0.05, "interval": None, "p": None}},
            "2. trial 4: 0.81, +0.05 from the best (not told apart) | lr:0.0092",
        ),
        (
            {"rank": None, "mean": None, "interval": None, "missing": 2, "diverged": 1},
            "-. trial 4: no value yet, 2 of 2 missing, 1 diverged | lr:0.0092",
        ),
    ],
)
def test_a_confirmed_trial_is_a_line(changes: dict[str, Any], line: str) -> None:
    said = {"status": "completed", "seeds": 2, "new_splits": False, "items": [ITEM | changes]}
    head, item = confirmation_lines(Confirmation.model_validate(said))
    assert head == "completed: 1 trials, 2 seeds, on the study's split"
    assert item == line


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "test accuracy 0.81 (0.78 to 0.83) on 1000 test samples: trial 4 (lr:0.0092)"),
        ({"interval": None, "samples": None}, "test accuracy 0.81: trial 4 (lr:0.0092)"),
        ({"accuracy": None, "status": "waiting", "opened_at": None}, "waiting: trial 4 (lr:0.0092)"),
        (
            {"accuracy": None, "status": "failed"},
            "failed: trial 4 (lr:0.0092); the test set counts as opened at 2026-01-01 12:00:00 UTC",
        ),
    ],
)
def test_the_final_test_is_a_line(changes: dict[str, Any], line: str) -> None:
    assert final_test_line(FinalTest.model_validate(FINAL | changes)) == line
