"""Writing units of work that wait for their turn."""

import logging
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from time import monotonic
from typing import Any

from service.storage.store import Listener, Result, Signal, Work

log = logging.getLogger("shibori.storage")
# Longer than all servers of a study take to have their turns with its lock: else each would have several wait for it.
HOLD_BACK_SECONDS = 0.5
PATIENCE_SECONDS = 10.0
"""A client waits longer than this for its answer."""


class DatabaseClosed(RuntimeError):
    """The database was closed before this unit of work began."""


@dataclass(eq=False, slots=True)
class Unit:
    """What somebody waits for; `tries` tells how often it was begun in vain."""

    work: Work[Any]
    future: Future[Any]
    shares: bool
    """Whether it may share a transaction where each unit holds the locks of the others: whatever is short may."""
    until: float
    """How long it may wait for what others keep, by the clock that only goes on."""
    tries: int = 0
    in_vain: bool = False
    """Whether it has led, and what it needed was kept by others."""
    kept: tuple[str, ...] = ()
    """The studies that it, or another in the line, was kept from; last the one that it waited for last."""
    hurries: bool = False
    """Whether it waits for a moment only: somebody keeps a lock that it may need too."""
    given_up: bool = False
    """Whether it is to be answered that it has waited in vain, and not to be begun again."""

    @property
    def joins(self) -> bool:
        """Whether it may join a transaction; one that was begun in vain begins its own, after a pause."""
        return self.shares and not self.tries

    def begin(self) -> bool:
        """False where its caller has gone before it began; from here on it cannot be called off."""
        return self.future.running() or self.future.set_running_or_notify_cancel()

    def answer(self, result: Any, failure: Exception | None) -> None:
        if failure is None:
            self.future.set_result(result)
        else:
            self.future.set_exception(failure)


class Units:
    """A line that any number of threads take from, and that ends when it is closed."""

    def __init__(self) -> None:
        self._waiting: deque[Unit] = deque()
        self._changed = threading.Condition()
        self.closed = False
        self._holds_back: Unit | None = None
        self._held_back_until = 0.0
        self._leads_again: Unit | None = None

    def submit(self, work: Work[Result], *, shares: bool = False, patience: float = PATIENCE_SECONDS) -> Future[Result]:
        future: Future[Result] = Future()
        with self._changed:
            if self.closed:
                raise DatabaseClosed("the database is closed")
            self._append(Unit(work, future, shares, monotonic() + patience))
        return future

    def close(self) -> None:
        """Take no more; whoever takes what is left finds the end behind it."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def wait(self) -> Unit | None:
        """The next one, as soon as there is one; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self.closed)
            return self._waiting.popleft() if self._waiting else None

    def wait_to_lead(self) -> Unit | None:
        """The next one that may begin a transaction, None at the end; whoever takes it tells when it has `led`.

        Or one that is `given_up`: it has waited in vain for as long as it may, or at all once it is closed.
        While one that could have joined others waits for a lock, the rest stay in the line, where whoever has that
        lock takes them. Of those that have led in vain one leads at a time, and holds nobody back.
        """
        with self._changed:
            while (unit := self._next(now := monotonic())) is None and (self._waiting or not self.closed):
                self._changed.wait(self._nothing_for(now))
            # Whoever waits too looks at what is left, or finds the end.
            self._changed.notify()
            return unit

    def led(self, unit: Unit, again: Sequence[Unit] = ()) -> None:
        """It waits for no lock any more, or has no transaction any more.

        Others that were to be done `again` are put at the end, for whoever takes them, in the same moment: it may be
        one of them, and whoever comes meanwhile would think that nobody waits in vain. Once the line is closed, whoever
        puts some there must take what is left.
        """
        with self._changed:
            if unit is self._holds_back:
                self._holds_back, self._held_back_until = None, 0.0
            if unit is self._leads_again:
                self._leads_again = None
            for one in again:
                self._append(one)
            self._changed.notify()

    def next(self) -> Unit | None:
        """One that waits already, or None."""
        with self._changed:
            return self._waiting.popleft() if self._waiting else None

    def next_to_join(self) -> Unit | None:
        """One that waits already, if the next one joins others; what has to wait for another's lead is passed by."""
        with self._changed:
            unit = next((unit for unit in self._waiting if unit.joins or self._may_lead(unit)), None)
            if unit is None or not unit.joins:
                return None
            self._waiting.remove(unit)
            self._learn(unit)
            return unit

    def refuse(self, error: Exception) -> None:
        """Tell all that wait."""
        while unit := self.next():
            if unit.begin():
                unit.answer(None, error)

    def empty(self) -> bool:
        return not self._waiting

    def _next(self, now: float) -> Unit | None:
        for unit in self._waiting:
            if self._is_overdue(unit, now):
                unit.given_up = True
                self._waiting.remove(unit)
                return unit
        return None if now < self._held_back_until else self._next_to_lead(now)

    def _next_to_lead(self, now: float) -> Unit | None:
        unit = next((unit for unit in self._waiting if self._may_lead(unit)), None)
        if unit is not None:
            self._waiting.remove(unit)
            self._lead(unit, now)
        return unit

    def _nothing_for(self, now: float) -> float | None:
        """For so many seconds there is none, if nobody says otherwise; None where nothing else would change that."""
        times = [unit.until for unit in self._waiting if unit.in_vain]
        times += [self._held_back_until] if now < self._held_back_until else []
        return min(times) - now if times else None

    def _is_overdue(self, unit: Unit, now: float) -> bool:
        return unit.in_vain and (self.closed or now >= unit.until)

    def _may_lead(self, unit: Unit) -> bool:
        return not unit.in_vain or self._leads_again is None or self.closed

    def _lead(self, unit: Unit, now: float) -> None:
        unit.hurries = False
        self._learn(unit)
        if unit.in_vain:
            self._leads_again = unit
        elif unit.joins:
            # Were each to find out for itself how long it is to wait, all the others would wait for them.
            unit.hurries = self._leads_again is not None or any(one.in_vain for one in self._waiting)
            if not unit.hurries:
                self._holds_back, self._held_back_until = unit, now + HOLD_BACK_SECONDS

    def _learn(self, unit: Unit) -> None:
        """Were each to find out for itself which studies are kept from it, its time would be over before that."""
        if unit.in_vain:
            others = (study for one in self._waiting for study in one.kept if study not in unit.kept)
            unit.kept = (*dict.fromkeys(others), *unit.kept)

    def _append(self, unit: Unit) -> None:
        self._waiting.append(unit)
        self._changed.notify()


def tell(listener: Listener, signals: frozenset[Signal]) -> None:
    """Tell of a commit: those whose units are in it are to be answered, whatever the listener does."""
    try:
        listener(signals)
    except Exception:
        log.exception("what is to be done after a commit has failed")
