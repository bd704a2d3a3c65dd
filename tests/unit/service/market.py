"""Trials that claims wait for in a line, and plays of who comes when."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass, field
from typing import Any

from service.domain.status import Purpose
from service.notifier import Notifier
from service.operations.openings import Opening
from service.storage.workers import Terms

NEVER, PATIENCE_SECONDS = 1e6, 20.0
OBJECTIVES = ("a", "b", "c")


def terms(*objectives: str) -> Terms:
    return Terms(objectives, (Purpose.SEARCH,))


class Line(Notifier[str]):
    """One that tells whether it is serving."""

    serving = False

    async def _serve(self) -> None:
        self.serving = True
        await super()._serve()
        self.serving = False

    async def settled(self) -> None:
        """Return when nothing is done until the next word."""
        await asyncio.sleep(0.001)
        while self._caller is not None and (self._woken.is_set() or self.serving):
            await asyncio.sleep(0.001)


@dataclass
class Market:
    """Trials by objective, and the claims that take them."""

    trials: Counter[str] = field(default_factory=Counter)
    attempts: list[str] = field(default_factory=list)
    looks: int = 0
    line: Line = field(init=False)

    def __post_init__(self) -> None:
        self.line = Line(self._look)

    def supply(self, **trials: int) -> None:
        self.trials.update(trials)
        self.line.notify()

    def take(self, wanted: Terms) -> str | None:
        found = next((one for one in wanted.objectives if self.trials[one]), None)
        if found is not None:
            self.trials[found] -= 1
        return found

    def claim(
        self, name: str, wanted: Terms, seconds: float = NEVER, *, there: Callable[[], bool] = lambda: True
    ) -> Any:
        """A claim that has found nothing at first and joins the line."""
        return asyncio.create_task(self._wait(name, wanted, seconds, there, self.line.generation))

    async def _wait(self, name: str, wanted: Terms, seconds: float, there: Callable[[], bool], seen: int) -> str | None:
        async def attempt() -> str | None:
            self.attempts.append(name)
            await asyncio.sleep(0)
            return self.take(wanted) if there() else "gone"

        return await self.line.wait(wanted, 1, attempt, seconds, seen)

    def _look(self, objectives: Collection[str]) -> list[Opening]:
        self.looks += 1
        offered = {name: self.trials[name] for name in OBJECTIVES if name in objectives and self.trials[name]}
        return [Opening(name, name, name, dict.fromkeys(Purpose, count), count) for name, count in offered.items()]


def played(play: Callable[[Market], Coroutine[Any, Any, None]]) -> Market:
    """A market after a play, whose line has come to its end."""
    market = Market()

    async def whole() -> None:
        await play(market)
        await market.line.end()

    asyncio.run(asyncio.wait_for(whole(), PATIENCE_SECONDS))
    return market
