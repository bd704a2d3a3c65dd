"""A computation that is waited for only so long."""

from threading import Event
from threading import enumerate as threads

import pytest

from service.operations.in_time import LATE, TookTooLong, within


def test_what_is_computed_in_time_is_answered() -> None:
    assert within(60, lambda: 7) == 7


@pytest.mark.parametrize("error", [ValueError("wrong"), MemoryError(), TimeoutError("its own")])
def test_what_goes_wrong_is_raised(error: BaseException) -> None:
    def compute() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        within(60, compute)
    assert raised.value is error


def test_what_does_not_end_is_given_up() -> None:
    over = Event()
    with pytest.raises(TookTooLong, match=r"more than 0\.01 seconds"):
        within(0.01, over.wait)
    over.set()
    until_ended()


def test_while_two_that_were_given_up_go_on_nothing_else_is_begun() -> None:
    over = Event()
    for _ in range(2):
        with pytest.raises(TookTooLong):
            within(0.01, over.wait)
    with pytest.raises(TookTooLong, match="others that took too long"):
        within(60, lambda: 7)
    over.set()
    until_ended()
    assert within(60, lambda: 7) == 7


def until_ended() -> None:
    """Wait for all that were given up."""
    for thread in threads():
        if thread.name == LATE:
            thread.join()
