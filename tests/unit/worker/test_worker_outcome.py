"""What an objective returns or raises, as the outcome that the server is told."""

import pytest

from trainer.objectives import DataError, Diverged
from worker.outcome import LONGEST_MESSAGE, Dropped, Failed, Unusable, Value, outcome_of
from worker.stopping import Halt, Stopped


def raising(error: BaseException) -> Value:
    raise error


def test_a_value_is_an_outcome() -> None:
    assert outcome_of(lambda: Value(0.5, 100)) == Value(0.5, 100)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_value_that_is_not_finite_has_diverged(value: float) -> None:
    outcome = outcome_of(lambda: Value(value))
    assert outcome == Failed("diverged", f"The objective returned {value}, which is not a finite number.")


def test_a_divergence_is_told_in_its_words() -> None:
    assert outcome_of(lambda: raising(Diverged("the loss is nan"))) == Failed("diverged", "the loss is nan")


@pytest.mark.parametrize("error", [DataError("only 5,000 images"), Unusable("only 5,000 images")])
def test_what_has_a_sentence_of_its_own_needs_no_traceback(error: Exception) -> None:
    assert outcome_of(lambda: raising(error)) == Failed("error", "only 5,000 images")


@pytest.mark.parametrize("error", [ZeroDivisionError("division by zero"), MemoryError(), SystemExit(3)])
def test_any_other_exception_is_told_with_type_and_place(error: BaseException) -> None:
    outcome = outcome_of(lambda: raising(error))
    assert isinstance(outcome, Failed)
    assert outcome.reason == "error"
    assert outcome.message.startswith(type(error).__name__)
    assert "raise error" in outcome.message


def test_a_stop_leaves_nothing_to_tell() -> None:
    assert outcome_of(lambda: raising(Stopped(Halt.SHUTDOWN))) == Dropped(Halt.SHUTDOWN)


def test_a_message_is_short_enough_and_can_be_sent() -> None:
    outcome = outcome_of(lambda: raising(ValueError("\udcff" + "x" * 100_000)))
    assert isinstance(outcome, Failed)
    assert len(outcome.message.encode()) <= LONGEST_MESSAGE + 10
