"""Brings what other threads have done back to the event loop that waits for it."""

import asyncio
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

Result = TypeVar("Result")


class Arrivals:
    """Results on their way to one loop, which is woken once for all that come together, as those of a commit do."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._come: deque[tuple[asyncio.Future[Any], Future[Any]]] = deque()
        self._called = False

    async def of(self, unit: Future[Result]) -> Result:
        """The result of a unit of work, which is called off where nobody waits for it any more."""
        place: asyncio.Future[Result] = self._loop.create_future()
        unit.add_done_callback(partial(self._arrive, place))
        try:
            return await place
        finally:
            unit.cancel()

    def _arrive(self, place: asyncio.Future[Any], unit: Future[Any]) -> None:
        self._come.append((place, unit))
        if not self._called:
            self._called = True
            # A loop that has ended has nobody waiting.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._take_in)

    def _take_in(self) -> None:
        # First, so that whoever comes from here on calls again, if only for nothing.
        self._called = False
        while self._come:
            place, unit = self._come.popleft()
            if not place.done():
                _settle(place, unit)


def _settle(place: asyncio.Future[Any], unit: Future[Any]) -> None:
    if unit.cancelled():
        place.cancel()
    elif error := unit.exception():
        place.set_exception(error)
    else:
        place.set_result(unit.result())
