"""A worker process: one trial after the other, until it is asked to end or idle for long enough."""

import logging
import os
import secrets
import signal
import socket
import sys
import threading

from client import ApiError, Client, Unreachable
from worker.attempt import Attempts
from worker.claims import Claims, Idleness
from worker.config import WorkerConfig
from worker.exits import DONE, REFUSED, UNREACHABLE, WRONG_USE
from worker.groups import signal_group
from worker.holding import Holding
from worker.objectives.builtin import builtins
from worker.objectives.command import CommandObjective
from worker.objectives.function import ObjectiveNotFound, load
from worker.patience import for_seconds, once
from worker.session import Runnable
from worker.shutdown import Shutdown, install

# With the grace before them they are shorter than the parent waits until it kills.
LAST_WORD_SECONDS = 4.0
FAREWELL_SECONDS = 2.0
log = logging.getLogger("worker")


def main() -> None:
    config, record = WorkerConfig.model_validate_json(sys.argv[1]), int(sys.argv[2])
    name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format=f"%(asctime)s {name} %(message)s")
    holding = Holding(record)
    code = Worker(config, name, holding).run()
    holding.leave(code)
    sys.exit(code)


class Worker:
    def __init__(self, config: WorkerConfig, name: str, holding: Holding) -> None:
        self._config = config
        self._name = name
        self._holding = holding
        self._shutdown = Shutdown()
        self._client = Client(config.server, retry=once())

    def run(self) -> int:
        install(self._shutdown, self._leave, parent=sys.stdin.fileno())
        try:
            runnables = {runnable.name: runnable for runnable in self._runnables()}
            self._work(runnables)
        except ObjectiveNotFound as error:
            log.error("%s", error)
            return WRONG_USE
        except Unreachable as error:
            log.error("%s", error)
            return UNREACHABLE
        except ApiError as error:
            log.error("the server refuses this worker: %s", error)
            return REFUSED
        return DONE

    def _runnables(self) -> list[Runnable]:
        own: list[Runnable] = []
        if self._config.objective is not None:
            own.append(load(self._config.objective))
        if self._config.command is not None:
            name, group = self._config.command_name, self._holding.runs_group
            own.append(CommandObjective(self._config.command, name, group))
        return [*builtins(), *own]

    def _work(self, runnables: dict[str, Runnable]) -> None:
        attempts = Attempts(self._client, runnables, self._holding, self._shutdown)
        idle = Idleness(self._config.exit_when_idle_seconds)
        claims = self._claims(list(runnables))
        log.info("works for %s on %s", self._client.url, ", ".join(runnables))
        idle.begin()
        while not self._shutdown.requested and idle.left_seconds > 0:
            trials = claims.next(idle.left_seconds)
            while trials:
                trials = attempts.run(trials[0])
                idle.begin()

    def _claims(self, objectives: list[str]) -> Claims:
        bound = self._config.exit_when_idle_seconds
        patient = self._client.with_retry(for_seconds(float("inf") if bound is None else bound))
        name, study, parting = self._name, self._config.study, self._holding.parting
        return Claims(patient, self._client, name, objectives, study, self._shutdown, parting)

    def _leave(self) -> None:
        """Gives the trial back from beside an epoch that takes longer than the end may wait.

        A trial whose end is being told is not given back: that could overtake its result.
        """
        try:
            self._holding.parting.acquire(timeout=LAST_WORD_SECONDS)
            held = self._holding.leave(DONE)
            if held.group is not None:
                signal_group(held.group, signal.SIGKILL)
            if held.telling:
                log.warning("trial %s: nobody has answered its end, so its lease decides", held.trial)
            elif held.trial is not None and held.lease is not None:
                giving = threading.Thread(target=self._give_back, args=(held.trial, held.lease), daemon=True)
                giving.start()
                giving.join(FAREWELL_SECONDS)
                if giving.is_alive():
                    log.warning("trial %s: nobody has answered that it is given back, so its lease decides", held.trial)
        finally:
            os._exit(DONE)

    def _give_back(self, trial: int, lease: str) -> None:
        try:
            self._client.with_retry(for_seconds(FAREWELL_SECONDS)).release(trial, lease)
            log.info("trial %s is given back", trial)
        except ApiError as error:
            log.warning("trial %s could not be given back: %s", trial, error)


if __name__ == "__main__":
    main()
