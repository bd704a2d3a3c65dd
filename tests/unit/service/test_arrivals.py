"""What other threads have done comes back to the loop that waits for it, all at once."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future

import pytest

from service.api.arrivals import Arrivals


class Counting(asyncio.SelectorEventLoop):
    """A loop that counts how often another thread wakes it."""

    woken = 0

    def call_soon_threadsafe(self, callback: Callable[..., object], *args: object, **more: object) -> asyncio.Handle:
        self.woken += 1
        return super().call_soon_threadsafe(callback, *args, **more)  # type: ignore[arg-type]


def test_results_that_come_together_wake_the_loop_once_and_each_goes_to_who_waits_for_it() -> None:
    loop = Counting()

    async def wait() -> list[int]:
        arrivals, units = Arrivals(loop), [Future[int]() for _ in range(8)]
        waiting = [asyncio.ensure_future(arrivals.of(unit)) for unit in units]
        await asyncio.sleep(0)
        for number, unit in enumerate(units):
            unit.set_result(number)
        return await asyncio.gather(*waiting)

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        assert runner.run(wait()) == list(range(8))
        assert loop.woken == 1


def test_results_that_come_one_after_the_other_all_arrive() -> None:
    async def wait() -> list[int]:
        arrivals = Arrivals(asyncio.get_running_loop())
        return [await asyncio.wait_for(arrivals.of(_done(number)), 10) for number in range(3)]

    assert asyncio.run(wait()) == [0, 1, 2]


def test_an_error_goes_to_who_waits_for_it() -> None:
    async def wait() -> int:
        unit: Future[int] = Future()
        unit.set_exception(KeyError("lost"))
        return await Arrivals(asyncio.get_running_loop()).of(unit)

    with pytest.raises(KeyError, match="lost"):
        asyncio.run(wait())


def test_what_nobody_waits_for_any_more_is_called_off() -> None:
    unit: Future[int] = Future()
    asyncio.run(_hang_up(unit))
    assert unit.cancelled()


def test_what_ends_after_its_loop_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    unit: Future[int] = Future()
    unit.set_running_or_notify_cancel()
    asyncio.run(_hang_up(unit))
    unit.set_result(1)
    assert not caplog.records


async def _hang_up(unit: Future[int]) -> None:
    waiting = asyncio.ensure_future(Arrivals(asyncio.get_running_loop()).of(unit))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])


def _done(number: int) -> Future[int]:
    unit: Future[int] = Future()
    unit.set_result(number)
    return unit
