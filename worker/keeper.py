"""Keeps a lease while its trial runs: a thread that sends epochs, renews, and hears of a stop."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from client import ApiError, Client, LeaseLost, NotFound, Unreachable
from service.protocol import ClaimedTrial, Epoch
from worker.epochs import epoch_of
from worker.outbox import Outbox
from worker.stopping import Halt, Stopped

BATCH_SECONDS = 0.75
EPOCHS_PER_RENEWAL = 10
log = logging.getLogger(__name__)


class Keeper:
    """The session of one attempt. The objective only ever appends: it never waits for a request."""

    def __init__(
        self,
        client: Client,
        trial: ClaimedTrial,
        shutting_down: Callable[[], bool],
        hold: Callable[[Sequence[ClaimedTrial]], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._trial = trial
        self._shutting_down = shutting_down
        self._hold = hold
        self._outbox = Outbox(renew_seconds=trial.lease.renew_seconds, batch_seconds=BATCH_SECONDS, clock=clock)
        self._report_at = trial.report_at
        self._halt: Halt | None = None
        self._wake = threading.Event()
        self._done = False
        self._thread = threading.Thread(target=self._keep, name=f"keeper-{trial.id}", daemon=True)
        self._clock, self._began_at, self._epochs = clock, clock(), 0
        self.told: Halt | None = None
        self.claimed: list[ClaimedTrial] = []
        """What came with the word to stop, to run next."""

    def __enter__(self) -> "Keeper":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done = True
        self._wake.set()
        self._thread.join()

    def report(self, epoch: Mapping[str, object]) -> None:
        point = epoch_of(epoch)
        self._epochs += 1
        due_earlier = self._outbox.add(point)
        if self._report_at is not None and point.epoch >= self._report_at:
            # Asked for once: the answer says when next.
            self._report_at = None
            self._outbox.hurry()
            due_earlier = True
        if due_earlier:
            self._wake.set()
        self.check()

    def check(self) -> None:
        self.told = self._halt or (Halt.SHUTDOWN if self._shutting_down() else None)
        if self.told is not None:
            raise Stopped(self.told)

    def rest(self) -> Sequence[Epoch]:
        """The epochs that were not sent, for the request that ends the trial."""
        return self._outbox.rest()

    def step(self) -> None:
        """Sends what is due, if anything is."""
        if self._halt is None and self._outbox.due_in_seconds() <= 0:
            self._send(self._outbox.batch())

    def _keep(self) -> None:
        while not self._done:
            self.step()
            self._wake.wait(self._pause_seconds())
            self._wake.clear()

    def _pause_seconds(self) -> float | None:
        return None if self._halt is not None else max(0.0, self._outbox.due_in_seconds())

    def _send(self, batch: Sequence[Epoch]) -> None:
        try:
            answer = self._client.report(self._trial.id, self._trial.lease.token, batch, claim_next=self._claim_next())
        except Unreachable as error:
            log.info("trial %s: %s; the report is kept", self._trial.id, error)
            self._outbox.unanswered(error.retry_after_seconds)
        except (LeaseLost, NotFound) as error:
            log.warning("trial %s: %s", self._trial.id, error)
            self._halt = Halt.LEASE_LOST
        except ApiError as error:
            log.warning("trial %s: a report was refused and is left out: %s", self._trial.id, error)
            self._outbox.sent(batch)
        else:
            self._outbox.sent(batch)
            self._report_at = answer.report_at
            if answer.claimed.trials:
                # The trial under way is over, though its epoch is not.
                self._hold(answer.claimed.trials)
                self.claimed = answer.claimed.trials
            self._halt = Halt.STOP if answer.action == "stop" else None

    def _claim_next(self) -> int:
        """One more trial, unless its lease could run out before the epoch ends that hears of the stop."""
        if self._epochs == 0 or self._shutting_down():
            return 0
        epoch_seconds = (self._clock() - self._began_at) / self._epochs
        return 1 if epoch_seconds < self._trial.lease.renew_seconds / EPOCHS_PER_RENEWAL else 0
