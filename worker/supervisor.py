"""The parent of the worker processes: starts them, starts them again when they die, ends them together."""

import logging
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Protocol

from worker.exits import DONE, INTERRUPTED
from worker.holding import Record

LOOK_SECONDS = 0.1
GRACE_SECONDS = 10.0
SETTLED_SECONDS = 10.0
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
log = logging.getLogger(__name__)


class Process(Protocol):
    def returncode(self) -> int | None: ...
    def record(self) -> Record: ...
    def terminate(self) -> None: ...
    def kill(self) -> int: ...
    def close(self) -> None: ...


@dataclass(slots=True)
class Place:
    """Where one process works, or the next one will."""

    process: Process | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    pause_seconds: float = 0.0
    left: int | None = None


class Supervisor:
    """`bury` is told of each process that died without a word: its record, and how it ended."""

    def __init__(
        self,
        start: Callable[[], Process],
        count: int,
        bury: Callable[[Record, int], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._start = start
        self._bury = bury
        self._clock = clock
        self._sleep = sleep
        self._places = [Place() for _ in range(count)]
        self._signals = 0

    def on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1

    def install(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.on_signal)

    def run(self) -> int:
        """Until every process left by itself or a signal ends them all; the gravest exit code."""
        while not self._signals and any(place.left is None for place in self._places):
            for place in self._places:
                self.look_after(place)
            self._sleep(LOOK_SECONDS)
        return self._end() if self._signals else max(place.left or 0 for place in self._places)

    def look_after(self, place: Place) -> None:
        """Starts what shall run; notices what ended."""
        if place.process is not None:
            if (code := place.process.returncode()) is not None:
                self._ended(place, place.process, code)
        elif place.left is None and self._clock() >= place.start_at:
            place.started_at = self._clock()
            place.process = self._start()

    def _ended(self, place: Place, process: Process, code: int) -> None:
        place.process, place.left = None, self._close(process, code)
        if place.left is None:
            place.pause_seconds = self._next_pause_seconds(place)
            place.start_at = self._clock() + place.pause_seconds

    def _close(self, process: Process, code: int) -> int | None:
        record = process.record()
        process.close()
        if record.left is None:
            self._bury(record, code)
        return record.left

    def _next_pause_seconds(self, place: Place) -> float:
        if self._clock() - place.started_at >= SETTLED_SECONDS:
            return 0.0
        return min(LONGEST_PAUSE_SECONDS, max(FIRST_PAUSE_SECONDS, place.pause_seconds * 2))

    def _end(self) -> int:
        running = [place.process for place in self._places if place.process is not None]
        for process in running:
            process.terminate()
        self._wait_for(running)
        # To tell the server of one takes time, in which the others would go on.
        codes = [process.kill() for process in running]
        for process, code in zip(running, codes, strict=True):
            self._close(process, code)
        return INTERRUPTED if self._signals > 1 else DONE

    def _wait_for(self, running: list[Process]) -> None:
        end_at = self._clock() + GRACE_SECONDS
        while any(process.returncode() is None for process in running):
            if self._signals > 1 or self._clock() > end_at:
                return
            self._sleep(LOOK_SECONDS)
