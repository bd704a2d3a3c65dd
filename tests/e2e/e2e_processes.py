"""Starts, kills and watches the processes of the end-to-end tests."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from client import Client, Retry
from service.protocol import StudyView, TrialDetail

HERE = Path(__file__).parent
SHIBORI = [sys.executable, "-m", "shibori"]
PATIENCE_SECONDS = 120.0
BELOW_OUTGOING = range(20_000, 32_000)
Found = TypeVar("Found")


def eventually(look: Callable[[], Found], what: str, log: Path | None = None) -> Found:
    """Looks until it finds something true; fails with the log when it takes too long."""
    end_at = time.monotonic() + PATIENCE_SECONDS
    while not (found := look()):
        if time.monotonic() > end_at:
            raise AssertionError(f"{what} did not come about\n{log.read_text() if log else ''}")
        time.sleep(0.03)
    return found


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not waited for does not."""
    said = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(said.stdout.strip()) and not said.stdout.startswith("Z")


def children_of(pid: int) -> set[int]:
    said = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return {int(line.split()[0]) for line in said.stdout.splitlines() if "spawn_main" in line}


def free_port() -> int:
    """A port that no outgoing connection is given: one that looks for a server which is away could reach itself."""
    while True:
        port = secrets.choice(BELOW_OUTGOING)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Server:
    """A server that can be killed and started again on the same database, or else file, and port."""

    def __init__(
        self, folder: Path, database: str | None = None, *more: str, launcher: Sequence[str] = SHIBORI
    ) -> None:
        self._launcher, self._more = launcher, more
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = Client(self.url, retry=Retry(total_seconds=PATIENCE_SECONDS))
        self._log = folder / "server.log"
        self.database = database or f"sqlite:///{folder / 'shibori.db'}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Server":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE_SECONDS)

    def start(self) -> None:
        self.launch()
        self.when_ready()

    def launch(self) -> None:
        """Start it without waiting for it."""
        with self._log.open("ab") as log:
            command = [*self._launcher, *self.arguments]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    @property
    def arguments(self) -> list[str]:
        return ["serve", "--port", str(self.port), "--database", self.database, *self._more]

    def when_ready(self) -> None:
        hasty = self.client.with_retry(Retry(total_seconds=0))
        eventually(hasty.ready, "a server that is ready", self._log)

    def startups(self) -> int:
        """How many of its processes have begun to serve."""
        return self._log.read_text().count("Application startup complete")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def said(self) -> list[str]:
        """The lines of its log."""
        return self._log.read_text().splitlines()

    def ended(self) -> int:
        """The exit code, once it has ended by itself."""
        assert self._process is not None
        return self._process.wait(PATIENCE_SECONDS)

    def end(self) -> int:
        """The exit code after SIGTERM."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(PATIENCE_SECONDS)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def submit(self, name: str, trials: int, **changes: Any) -> StudyView:
        """A study of the scripted objective; `settings` say what it does."""
        settings = changes.pop("settings", {})
        return self.client.submit_study(
            {
                "name": name,
                "objective": {"name": "scripted", "settings": settings},
                "metric": {"name": "value", "goal": "maximize"},
                "space": {"x": {"type": "float", "low": 0.0, "high": 1.0}},
                "budget": {"trials": trials},
                "lease_seconds": 1,
                **changes,
            }
        )

    def when(self, study: str, status: str) -> StudyView:
        """The study, once it has that status."""

        def look() -> StudyView | None:
            seen = self.client.study(study)
            return seen if seen.status == status else None

        return eventually(look, f"{study} {status}")

    def when_trial(self, study: str, number: int, condition: Callable[[TrialDetail], bool]) -> TrialDetail:
        """The trial, once it is as it shall be."""

        def look() -> TrialDetail | None:
            seen = self.client.trial(study, number) if any(self.client.trials(study)) else None
            return seen if seen is not None and condition(seen) else None

        return eventually(look, f"trial {number} of {study} as awaited")

    def details(self, study: str) -> list[TrialDetail]:
        return [self.client.trial(study, trial.number) for trial in self.client.trials(study)]


class Worker:
    """`shibori worker`: a parent with its children, as one thing to signal."""

    def __init__(self, url: str, log: Path, arguments: tuple[str, ...]) -> None:
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [*SHIBORI, "worker", "--server", url, *arguments],
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                cwd=HERE,
            )

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self) -> int:
        """The exit code, once it has ended."""
        return self.process.wait(PATIENCE_SECONDS)


class Crew:
    """The workers of a test, none of which outlives it."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._folder = folder
        self._workers: list[Worker] = []

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            if worker.process.poll() is None:
                worker.send(signal.SIGTERM)
        for worker in self._workers:
            with suppress(subprocess.TimeoutExpired):
                worker.ended()
            worker.process.kill()
            worker.process.wait()

    def start(self, *arguments: str, study: StudyView | None = None, processes: int = 1) -> Worker:
        """Workers of the scripted objective, unless the arguments name another, for one study or for all."""
        if study is not None:
            arguments = (*arguments, "--study", study.id)
        own = arguments if "--command" in arguments else ("--objective", "e2e_objectives:scripted", *arguments)
        log = self._folder / f"worker-{len(self._workers)}.log"
        worker = Worker(self._url, log, ("--processes", str(processes), *own))
        self._workers.append(worker)
        return worker


def pid_of(worker: str | None) -> int:
    """The process of a worker, which has it in its name."""
    assert worker is not None
    return int(worker.rsplit("-", 2)[1])


def running(trial: TrialDetail) -> bool:
    return trial.status == "running"


def signal_worker(worker: str | None, number: signal.Signals) -> None:
    os.kill(pid_of(worker), number)


def reader_environment() -> dict[str, str]:
    """What a reader has who runs the blocks of a page: the commands, and a server's address that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SHIBORI_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
    return kept | {"PATH": path, "SHIBORI_PORT": str(port), "SHIBORI_SERVER_URL": f"http://127.0.0.1:{port}"}
