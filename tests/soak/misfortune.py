"""What befalls workers and servers: they die and are started again, or stand still past their leases."""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.soak.processes import Process, signalled

LONGEST_STOP_SECONDS = 15.0
LEASE_SECONDS = 5
SHORT_STOP_OF_A_SERVER_SECONDS = (0.0, 3.0)
STOP_OF_A_SERVER_PAST_LEASES_SECONDS = (LEASE_SECONDS + 1.0, LEASE_SECONDS + 4.0)


@dataclass(slots=True)
class Misfortune:
    """Strikes by chance, though in every way once at first, and counts what it has done."""

    servers: list[Process]
    workers: list[Process]
    chance: random.Random
    happened: Counter[str] = field(default_factory=Counter)
    _stopped: dict[int, float] = field(default_factory=dict)
    untried: list[Callable[[], None]] = field(init=False)

    def __post_init__(self) -> None:
        self.untried = self.chance.sample(list(self._acts), len(self._acts))

    @property
    def _acts(self) -> dict[Callable[[], None], int]:
        """What can happen, and how often in comparison."""
        return {
            self._stop_worker: 10,
            self._kill_worker: 4,
            self._kill_parent: 1,
            self._kill_server: 2,
            self._stop_server: 1,
            self._stop_server_past_leases: 1,
        }

    def strike(self) -> None:
        """One misfortune, after those that were stopped long enough go on."""
        self.go_on(time.monotonic())
        if self.untried:
            return self.untried.pop()()
        (act,) = self.chance.choices(list(self._acts), list(self._acts.values()))
        return act()

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
        self._stop_for(SHORT_STOP_OF_A_SERVER_SECONDS, "servers stopped")

    def _stop_server_past_leases(self) -> None:
        """Whoever worked for it may find its lease gone, and its trial given to another."""
        self._stop_for(STOP_OF_A_SERVER_PAST_LEASES_SECONDS, "servers stopped past all leases")

    def _stop_for(self, seconds: tuple[float, float], what: str) -> None:
        stopped = self.chance.choice(self.servers).pid
        signalled(stopped, signal.SIGSTOP)
        time.sleep(self.chance.uniform(*seconds))
        signalled(stopped, signal.SIGCONT)
        self.happened[what] += 1

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
