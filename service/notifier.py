"""Claims that wait stand in line, and are called in turn when there may be something for them."""

import asyncio
import logging
import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from contextvars import Context
from functools import partial
from itertools import islice
from typing import Generic

from service.operations.openings import Opening, first_served
from service.storage.workers import Terms
from service.waiting_claim import Answer, Attempt, WaitingClaim

log = logging.getLogger("shibori.waiting")
Look = Callable[[Collection[str]], list[Opening]]
"""What there may be, without writing, for claims that name any of these objectives."""

MOST_AT_ONCE = 16
# Another server on the same database may give work without telling this one.
LONGEST_SLEEP_SECONDS = 1.0
# Claims that began to wait together would ask again together.
LET_GO_SECONDS = 0.005
# Commits that follow each other closely are one reason to look.
SHORTEST_SLEEP_SECONDS = 0.02
LONGEST_TURN_SECONDS = 0.1


class Notifier(Generic[Answer]):
    """The line of one event loop; any thread may say that there is work.

    One look, which writes nothing, tells how many claims there may be something for, and only those are made, from
    the head of the line on. The others stay where they are: 500 that wait cost one look a notification.
    """

    def __init__(self, look: Look, tell: Callable[[int], None] = lambda _: None) -> None:
        """`tell` hears how many claims wait, whenever that changes."""
        self.generation = 0
        self.closing = False
        self._look, self._tell = look, tell
        self._line: dict[WaitingClaim[Answer], None] = {}
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self._made: dict[asyncio.Task[Answer | None], WaitingClaim[Answer]] = {}
        self._caller: asyncio.Task[None] | None = None
        self._let_go_at = 0.0

    @property
    def waiting(self) -> int:
        """How many claims wait."""
        return len(self._line)

    def notify(self) -> None:
        """There may be something to claim; said by any thread."""
        with self._lock:
            self.generation += 1
            if self._loop is not None:
                self._on_loop(self._loop, self._woken.set)

    def open(self) -> None:
        """Let claims wait: the server begins, be it anew."""
        # Of the loop that it begins on.
        self.closing, self._woken = False, asyncio.Event()

    def close(self) -> None:
        """Answer every claim that waits, and let none wait any more: the server is about to end."""
        self.closing = True
        if (loop := self._loop) is not None:
            self._on_loop(loop, self._dismiss)

    async def end(self) -> None:
        """Close, and return when nobody is called or looks for work any more."""
        self.close()
        if ending := {*self._made, *([self._caller] if self._caller else [])}:
            await asyncio.wait(ending)

    async def wait(
        self, terms: Terms, count: int, attempt: Attempt[Answer], seconds: float, seen: int
    ) -> Answer | None:
        """The answer of a claim made in its turn; None when it has waited so long, or the server is about to end.

        `seen` is the generation before the claim was made first, with nothing for it: no word since then is missed.
        """
        place = WaitingClaim(terms, count, attempt, asyncio.get_running_loop().create_future())
        self._join(place, seen)
        try:
            await asyncio.wait([place.answer], timeout=seconds)
            if not place.answer.done():
                await asyncio.wait([place.answer], timeout=self._let_go_in())
        finally:
            self._line.pop(place, None)
            self._tell(self.waiting)
        # A claim that is being made has its answer in a moment, and may hold a lease by now.
        return await place.answer if place.called or place.answer.done() else None

    def _let_go_in(self) -> float:
        """How long a claim whose wait has run out stands in line on, so that one at a time is let go."""
        now = asyncio.get_running_loop().time()
        self._let_go_at = max(now, self._let_go_at + LET_GO_SECONDS)
        return self._let_go_at - now

    def _join(self, place: WaitingClaim[Answer], seen: int) -> None:
        self._line[place] = None
        self._tell(self.waiting)
        if self._caller is None:
            self._caller = asyncio.create_task(self._call(), name="waiting-claims", context=Context())
        with self._lock:
            self._loop = asyncio.get_running_loop()
            if self.generation != seen or self.closing:
                self._woken.set()

    def _on_loop(self, loop: asyncio.AbstractEventLoop, callback: Callable[[], object]) -> None:
        # A loop that has ended has nobody waiting.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(callback)

    def _dismiss(self) -> None:
        self._woken.set()
        for place in self._standing():
            if not place.called:
                place.answer.set_result(None)

    def _standing(self) -> list[WaitingClaim[Answer]]:
        """Those without an answer; one that has it leaves the line only when it runs again."""
        return [place for place in self._line if not place.answer.done()]

    async def _call(self) -> None:
        """Call claims for as long as any wait."""
        try:
            while self._line and not self.closing:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), LONGEST_SLEEP_SECONDS)
                await self._serve()
                await asyncio.sleep(SHORTEST_SLEEP_SECONDS)
        finally:
            self._dismiss()
            with self._lock:
                self._loop = None
            self._caller = None

    async def _serve(self) -> None:
        """Look and call, until there is nothing for anybody."""
        spent: set[Terms] = set()
        try:
            while turns := await self._next(spent):
                await self._make(turns, spent)
        except Exception:
            log.exception("nobody could be told what there is to claim; it will be tried again")

    async def _next(self, spent: set[Terms]) -> list[WaitingClaim[Answer]]:
        """Those at the head of the line for whom there may be something.

        Not where a claim on the same terms has found nothing since, or has yet to hear what it found.
        """
        if self._woken.is_set():
            self._woken.clear()
            spent.clear()
        late = {place.terms for place in self._made.values()}
        waiting = [place for place in self._standing() if place.terms not in spent | late]
        if not waiting:
            return []
        openings = await asyncio.to_thread(self._look, {name for place in waiting for name in place.terms.objectives})
        waiting = [place for place in waiting if place in self._line and not place.answer.done()]
        turns = first_served(openings, ((place.terms, place.count) for place in waiting))
        return [waiting[turn] for turn in islice(turns, MOST_AT_ONCE)]

    async def _make(self, turns: Sequence[WaitingClaim[Answer]], spent: set[Terms]) -> None:
        """Call these; one that takes long, as where somebody keeps a study to himself, is not waited for."""
        tasks = [self._call_one(place, spent) for place in turns]
        _, late = await asyncio.wait(tasks, timeout=LONGEST_TURN_SECONDS)
        for made in late:
            made.add_done_callback(lambda _: self._woken.set())

    def _call_one(self, place: WaitingClaim[Answer], spent: set[Terms]) -> asyncio.Task[Answer | None]:
        place.called = True
        made = asyncio.create_task(place.attempt(), context=place.context)
        self._made[made] = place
        made.add_done_callback(partial(self._settle, spent))
        return made

    def _settle(self, spent: set[Terms], made: asyncio.Task[Answer | None]) -> None:
        place = self._made.pop(made)
        if not place.settle(made, stays=place in self._line and not self.closing):
            spent.add(place.terms)
