"""A computation that is waited for only so long."""

from threading import Event

import pytest

from service.operations.in_time import TookTooLong, within


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
