"""The retry policy: when it asks again, how long it waits, when it gives up."""

from dataclasses import dataclass, field

import pytest

from client import NotFound, Retry, Unreachable
from service.protocol import Problem


@dataclass
class Clock:
    """Time that passes only in sleep."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def policy(clock: Clock, **changes: object) -> Retry:
    return Retry(**{"clock": clock, "sleep": clock.sleep, "random": lambda: 1.0, **changes})  # type: ignore[arg-type]


def failing(times: int, error: Exception) -> object:
    left = iter(range(times))

    def ask() -> str:
        if next(left, None) is not None:
            raise error
        return "answer"

    return ask


def gone(retry_after_seconds: float = 0.0) -> Unreachable:
    return Unreachable("http://server", "refused", retry_after_seconds=retry_after_seconds)


def test_pauses_double_up_to_the_longest() -> None:
    clock = Clock()
    retry = policy(clock, total_seconds=100, first_pause_seconds=1, longest_pause_seconds=5)
    assert retry.run(failing(5, gone())) == "answer"
    assert clock.slept == [1, 2, 4, 5, 5]


def test_jitter_takes_at_most_half_of_a_pause() -> None:
    assert policy(Clock(), first_pause_seconds=1, random=lambda: 0.0).pause_seconds(0) == 0.5


def test_gives_up_before_the_total_is_exceeded() -> None:
    clock = Clock()
    with pytest.raises(Unreachable):
        policy(clock, total_seconds=6, first_pause_seconds=1).run(failing(99, gone()))
    assert clock.slept == [1, 2]


def test_a_total_of_nothing_asks_once() -> None:
    clock = Clock()
    with pytest.raises(Unreachable):
        policy(clock, total_seconds=0).run(failing(1, gone()))
    assert clock.slept == []


def test_an_endless_patience_never_overflows_its_pauses() -> None:
    assert policy(Clock(), longest_pause_seconds=5).pause_seconds(10_000) == 5


def test_waits_as_long_as_the_server_asks_for() -> None:
    clock = Clock()
    policy(clock, first_pause_seconds=1).run(failing(1, gone(retry_after_seconds=7)))
    assert clock.slept == [7]


def test_a_refusal_is_not_asked_again() -> None:
    clock = Clock()
    problem = Problem(type="/problems/study-not-found", title="No such study", status=404, detail="No such study.")
    with pytest.raises(NotFound):
        policy(clock).run(failing(1, NotFound(problem)))
    assert clock.slept == []
