"""One trial from its claim to the answer to its last request."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from client import ApiError, Client, LeaseLost, Refused
from service.protocol import ClaimedTrial, Epoch
from worker.holding import Holding
from worker.keeper import Keeper
from worker.outbox import LARGEST_BATCH
from worker.outcome import Dropped, Failed, Outcome, Value, outcome_of
from worker.patience import for_a_result
from worker.session import Runnable
from worker.shutdown import Shutdown
from worker.stopping import Halt

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Attempts:
    """Runs trials one after the other; `client` asks once: what it cannot send waits for the next report."""

    client: Client
    runnables: Mapping[str, Runnable]
    holding: Holding
    shutdown: Shutdown

    def run(self, trial: ClaimedTrial) -> list[ClaimedTrial]:
        """Trains and tells the server; returns what that answer brought to run next."""
        self._hold([trial])
        runnable = self.runnables[trial.objective]
        with Keeper(self.client, trial, self.shutdown.is_requested, self._hold) as keeper:
            outcome = outcome_of(lambda: runnable.run(trial, keeper))
            if isinstance(outcome, Value) and keeper.told is None:
                # While the lease is still being renewed: packing and sending may take longer than it lasts.
                self._upload(trial, outcome)
        if keeper.told is not None:
            outcome = Dropped(keeper.told)
        with self.holding.parting:
            if keeper.claimed:
                # The trial is over, and what came with the word to stop is held already.
                return keeper.claimed
            self.holding.tell()
            try:
                following = self._tell(trial, outcome, keeper.rest())
            except BaseException:
                # Nothing is on its way: the parent may say how the process ended.
                self._hold([trial])
                raise
            self._hold(following)
        return following

    def _hold(self, trials: Sequence[ClaimedTrial]) -> None:
        """What is to run next is held from the moment on that the server said so."""
        if trials:
            self.holding.take(trials[0].id, trials[0].lease.token)
        else:
            self.holding.drop()

    def _tell(self, trial: ClaimedTrial, outcome: Outcome, epochs: Sequence[Epoch]) -> list[ClaimedTrial]:
        try:
            return self._settle(trial, outcome, self._all_but_the_last_batch_sent(trial, epochs))
        except LeaseLost as error:
            log.warning("trial %s is dropped: %s", trial.id, error)
        except Refused as error:
            self._fail(trial, Failed("error", f"The server refused the result: {error}"), ())
        except ApiError as error:
            log.error("trial %s is dropped: %s", trial.id, error)
        return []

    def _settle(self, trial: ClaimedTrial, outcome: Outcome, epochs: Sequence[Epoch]) -> list[ClaimedTrial]:
        match outcome:
            case Value():
                return self._complete(trial, outcome, epochs)
            case Failed():
                log.warning("trial %s failed: %s", trial.id, outcome.message.partition("\n")[0])
                self._fail(trial, outcome, epochs)
            case Dropped(halt=Halt.SHUTDOWN):
                self._patient(trial).release(trial.id, trial.lease.token, epochs)
                log.info("trial %s is given back", trial.id)
            case Dropped():
                log.info("trial %s ends here: %s", trial.id, outcome.halt)
        return []

    def _patient(self, trial: ClaimedTrial) -> Client:
        return self.client.with_retry(for_a_result(trial.lease.renew_seconds))

    def _upload(self, trial: ClaimedTrial, result: Value) -> None:
        """Hands in what was learned, where it may be the best; a value without its weights is still a value."""
        if result.weights is None or trial.keep_weights is None or not trial.keep_weights.wants(result.value):
            return
        try:
            self._patient(trial).upload_weights(trial.id, trial.lease.token, result.weights())
        except Exception as error:  # noqa: BLE001 - whatever packing or sending raised, the value is worth more
            log.error("trial %s: its weights are not kept: %s", trial.id, error)

    def _complete(self, trial: ClaimedTrial, result: Value, epochs: Sequence[Epoch]) -> list[ClaimedTrial]:
        answer = self._patient(trial).complete(
            trial.id,
            trial.lease.token,
            result.value,
            samples=result.samples,
            epochs=epochs,
            claim_next=0 if self.shutdown.requested else 1,
        )
        return answer.claimed.trials

    def _fail(self, trial: ClaimedTrial, failed: Failed, epochs: Sequence[Epoch]) -> None:
        try:
            self._patient(trial).fail(trial.id, trial.lease.token, failed.reason, failed.message, epochs=epochs)
        except ApiError as error:
            log.error("trial %s: its failure could not be told: %s", trial.id, error)

    def _all_but_the_last_batch_sent(self, trial: ClaimedTrial, epochs: Sequence[Epoch]) -> Sequence[Epoch]:
        while len(epochs) > LARGEST_BATCH:
            self._patient(trial).report(trial.id, trial.lease.token, epochs[:LARGEST_BATCH])
            epochs = epochs[LARGEST_BATCH:]
        return epochs
