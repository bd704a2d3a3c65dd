"""Waits for a computation only so long."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

Result = TypeVar("Result")


class TookTooLong(Exception):
    """A computation was not done in time."""


def within(seconds: float, compute: Callable[[], Result]) -> Result:
    """What is computed; its thread is left to itself when the time is over, since nothing can stop it."""
    answer: Future[Result] = Future()
    Thread(target=_answer, args=(answer, compute), name="in-time", daemon=True).start()
    try:
        return answer.result(seconds)
    except TimeoutError:
        if answer.done():
            return answer.result()
        raise TookTooLong(f"more than {seconds:g} seconds") from None


def _answer(answer: Future[Result], compute: Callable[[], Result]) -> None:
    try:
        answer.set_result(compute())
    except BaseException as error:  # noqa: BLE001 (whoever waits is to hear of it, whatever it is)
        answer.set_exception(error)
