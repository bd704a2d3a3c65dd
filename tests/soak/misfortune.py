"""What befalls workers and servers: they die and are started again, or stand still past their leases."""

import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field

from tests.soak.processes import Process, signalled

LONGEST_STOP_SECONDS = 15.0
LONGEST_STOP_OF_A_SERVER_SECONDS = 3.0


@dataclass(slots=True)
class Misfortune:
    """Strikes by chance, and counts what it has done."""

    servers: list[Process]
    workers: list[Process]
    chance: random.Random
    happened: Counter[str] = field(default_factory=Counter)
    _stopped: dict[int, float] = field(default_factory=dict)

    def strike(self) -> None:
        """One misfortune, after those that were stopped long enough go on."""
        self.go_on(time.monotonic())
        acts = (self._stop_worker, self._kill_worker, self._kill_parent, self._kill_server, self._stop_server)
        (act,) = self.chance.choices(acts, (10, 4, 1, 2, 1))
        act()

    def go_on(self, until: float = float("inf")) -> None:
        """Let go on what was stopped until some time."""
        for pid in [pid for pid, end in self._stopped.items() if end <= until]:
            del self._stopped[pid]
            signalled(pid, signal.SIGCONT)

    def _stop_worker(self) -> None:
        for pid in self._one_child():
            if pid not in self._stopped and signalled(pid, signal.SIGSTOP):
                self._stopped[pid] = time.monotonic() + LONGEST_STOP_SECONDS * self.chance.random()
                self.happened["workers stopped"] += 1

    def _stop_server(self) -> None:
        stopped = self.chance.choice(self.servers).pid
        signalled(stopped, signal.SIGSTOP)
        time.sleep(LONGEST_STOP_OF_A_SERVER_SECONDS * self.chance.random())
        signalled(stopped, signal.SIGCONT)
        self.happened["servers stopped"] += 1

    def _kill_worker(self) -> None:
        for pid in self._one_child():
            self.happened["workers killed"] += signalled(pid, signal.SIGKILL)

    def _kill_parent(self) -> None:
        self._kill_and_start(self.chance.choice(self.workers), "parents of workers killed")

    def _kill_server(self) -> None:
        self._kill_and_start(self.chance.choice(self.servers), "servers killed")

    def _kill_and_start(self, process: Process, what: str) -> None:
        process.kill()
        process.start()
        self.happened[what] += 1

    def _one_child(self) -> list[int]:
        """A worker process, or none where there is none at the moment."""
        children = [pid for worker in self.workers for pid in worker.children()]
        return self.chance.sample(children, min(1, len(children)))
