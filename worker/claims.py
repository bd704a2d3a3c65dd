"""Asks the server for the next trial, and waits for one."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from client import ApiError, Client
from service.protocol import ALL_PURPOSES, MAX_WAIT_SECONDS, ClaimedTrial, ClaimRequest
from worker.shutdown import Shutdown
from worker.stopping import ShuttingDown

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Claims:
    """Claims one trial at a time. `hasty` asks once, for the end of the process does not wait."""

    client: Client
    hasty: Client
    worker: str
    objectives: Sequence[str]
    study: str | None
    shutdown: Shutdown
    parting: threading.Lock
    paused: str | None = None

    def next(self, wait_seconds: float) -> list[ClaimedTrial]:
        """A trial, or none when the wait ran out or the process shall end."""
        request = self._request(min(wait_seconds, MAX_WAIT_SECONDS))
        try:
            with self.shutdown.interrupts():
                claimed = self.client.claim(request)
        except ShuttingDown:
            with self.parting:
                self._give_back(request)
            return []
        self._note_pause(claimed.paused)
        return claimed.trials

    def _note_pause(self, reason: str | None) -> None:
        """Says once why there is nothing to do."""
        if reason is not None and reason != self.paused:
            log.warning("this worker is paused: %s", reason)
        self.paused = reason

    def _request(self, wait_seconds: float) -> ClaimRequest:
        return ClaimRequest(
            worker=self.worker,
            objectives=list(self.objectives),
            count=1,
            wait_seconds=max(0.0, wait_seconds),
            study=self.study,
            purposes=list(ALL_PURPOSES),
            request_id=uuid4().hex,
        )

    def _give_back(self, request: ClaimRequest) -> None:
        """The answer may have been on its way: the same request again says what it held."""
        try:
            for trial in self.hasty.claim(request.model_copy(update={"wait_seconds": 0.0})).trials:
                self.hasty.release(trial.id, trial.lease.token)
        except ApiError as error:
            log.info("nothing to give back: %s", error)


@dataclass(slots=True)
class Idleness:
    """How long there has been nothing to do, and how long there may be."""

    bound_seconds: float | None
    clock: Callable[[], float] = time.monotonic
    since: float = 0.0

    def begin(self) -> None:
        self.since = self.clock()

    @property
    def left_seconds(self) -> float:
        if self.bound_seconds is None:
            return float("inf")
        return self.since + self.bound_seconds - self.clock()
