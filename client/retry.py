"""When to ask again after no answer, and how long to wait before."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

from client.errors import Unreachable

Answer = TypeVar("Answer")
BUSY = frozenset({502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Asks again, with growing pauses, until `total_seconds` would be exceeded; 0 asks once."""

    total_seconds: float = 10.0
    first_pause_seconds: float = 0.1
    longest_pause_seconds: float = 5.0
    statuses: frozenset[int] = BUSY
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random

    def run(self, ask: Callable[[], Answer]) -> Answer:
        """The first answer; raises the last `Unreachable` when the time is used up."""
        began_at = self.clock()
        for asked in count():
            try:
                return ask()
            except Unreachable as error:
                pause = max(self.pause_seconds(asked), error.retry_after_seconds)
                if self.clock() - began_at + pause > self.total_seconds:
                    raise
                self.sleep(pause)
        raise AssertionError

    def pause_seconds(self, asked: int) -> float:
        """Between half and the whole of a bound that doubles, so that many clients do not return at once."""
        bound = min(self.longest_pause_seconds, self.first_pause_seconds * 2.0 ** min(asked, 60))
        return bound * (0.5 + 0.5 * self.random())
