"""Which epochs wait to be sent, and when the next report is due."""

import threading
from collections.abc import Callable, Sequence

from service.protocol import Epoch
from worker.patience import LONGEST_PAUSE_SECONDS

FIRST_PAUSE_SECONDS = 0.25
LARGEST_BATCH = 1_000


class Outbox:
    """Epochs leave in batches, a while after the last report; without any, a renewal leaves later.

    A batch of which nobody knows whether it arrived is kept and sent again: epochs have numbers.
    """

    def __init__(self, *, renew_seconds: float, batch_seconds: float, clock: Callable[[], float]) -> None:
        self._renew_seconds = renew_seconds
        self._batch_seconds = min(batch_seconds, renew_seconds)
        self._longest_pause_seconds = min(LONGEST_PAUSE_SECONDS, renew_seconds)
        self._clock = clock
        self._lock = threading.Lock()
        self._pending: list[Epoch] = []
        self._sent_at = clock()
        self._refusals = 0
        self._asked_to_wait_seconds = 0.0
        self._hurried = False

    def add(self, epoch: Epoch) -> bool:
        """Takes an epoch; says whether it is the first that waits, and the next report due earlier."""
        with self._lock:
            self._pending.append(epoch)
            return len(self._pending) == 1

    def hurry(self) -> None:
        """Makes a report due now, unless the last one had no answer."""
        with self._lock:
            self._hurried = True

    def due_in_seconds(self) -> float:
        """How long until a report is due; not above 0 when it is."""
        with self._lock:
            pause = self._batch_seconds if self._pending else self._renew_seconds
            if self._hurried:
                pause = 0.0
            if self._refusals:
                bound = min(self._longest_pause_seconds, FIRST_PAUSE_SECONDS * 2.0 ** min(self._refusals - 1, 30))
                pause = max(bound, self._asked_to_wait_seconds)
            return self._sent_at + pause - self._clock()

    def batch(self) -> Sequence[Epoch]:
        """The oldest epochs that wait; they stay until `sent`."""
        with self._lock:
            return self._pending[:LARGEST_BATCH]

    def rest(self) -> Sequence[Epoch]:
        """All that wait."""
        with self._lock:
            return list(self._pending)

    def sent(self, batch: Sequence[Epoch]) -> None:
        with self._lock:
            del self._pending[: len(batch)]
            self._sent_at = self._clock()
            # What came while the batch was on its way may be what was asked for.
            self._hurried = self._hurried and bool(self._pending)
            self._refusals = 0

    def unanswered(self, retry_after_seconds: float = 0.0) -> None:
        """Keeps everything for the next report, which waits longer each time, and as long as the server asks for."""
        with self._lock:
            self._asked_to_wait_seconds = retry_after_seconds
            self._sent_at = self._clock()
            self._refusals += 1
