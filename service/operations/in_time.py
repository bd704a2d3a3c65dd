"""Waits for a computation only so long."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from threading import enumerate as threads
from typing import TypeVar

Result = TypeVar("Result")
LATE, MOST_LATE = "in-time-late", 2


class TookTooLong(Exception):
    """A computation was not done in time."""


def within(seconds: float, compute: Callable[[], Result]) -> Result:
    """What is computed; its thread is left to itself when the time is over, since nothing can stop it.

    While two of these still compute, nothing else is begun: it would make them slower, and be slower for them.
    """
    if sum(thread.name == LATE for thread in threads()) >= MOST_LATE:
        raise TookTooLong("others that took too long are still being computed")
    answer: Future[Result] = Future()
    thread = Thread(target=_answer, args=(answer, compute), name="in-time", daemon=True)
    thread.start()
    try:
        return answer.result(seconds)
    except TimeoutError:
        if answer.done():
            return answer.result()
        thread.name = LATE
        raise TookTooLong(f"more than {seconds:g} seconds") from None


def _answer(answer: Future[Result], compute: Callable[[], Result]) -> None:
    try:
        answer.set_result(compute())
    except BaseException as error:  # noqa: BLE001 (whoever waits is to hear of it, whatever it is)
        answer.set_exception(error)
