"""The processes of the soak: servers, the proxy and workers, none of which outlives it."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
OBJECTIVE = "tests.soak.objective:soaked"
PATIENCE_SECONDS = 60.0


@dataclass(slots=True)
class Process:
    """A program that is started again as often as it is killed; it ends with the soak, whose pipe it holds."""

    arguments: tuple[str, ...]
    log: Path
    running: "subprocess.Popen[bytes]" = field(init=False)

    def start(self) -> "Process":
        environment = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                [sys.executable, "-m", *self.arguments],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env=environment,
            )
        return self

    @property
    def pid(self) -> int:
        return self.running.pid

    def kill(self) -> None:
        self.running.kill()
        self.running.communicate()

    def children(self) -> list[int]:
        with suppress(OSError):
            return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]
        return []

    def calm(self) -> None:
        """Told to the proxy: no more answers get lost."""
        self.running.send_signal(signal.SIGUSR1)

    def ended(self) -> int:
        """The exit code; what does not end is killed."""
        try:
            self.running.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.running.kill()
        self.running.communicate()
        return self.running.returncode


def end(running: list[Process]) -> list[int]:
    """The exit codes after SIGTERM, sent to all at once."""
    for process in running:
        process.running.terminate()
    return [process.ended() for process in running]


def server(port: int, database: str, folder: Path) -> Process:
    said = ("--port", str(port), "--database", database, "--until-stdin-closes")
    return Process(("shibori", "serve", *said), folder / f"server-{port}.log")


def proxy(port: int, servers: list[int], record: Path, seed: int, folder: Path) -> Process:
    targets = [word for target in servers for word in ("--server", str(target))]
    said = ("--port", str(port), *targets, "--record", str(record), "--seed", str(seed))
    return Process(("tests.soak.proxy", *said), folder / "proxy.log")


def workers(port: int, processes: int, folder: Path, number: int) -> Process:
    said = ("--server", f"http://127.0.0.1:{port}", "--processes", str(processes), "--objective", OBJECTIVE)
    return Process(("shibori", "worker", *said, "--until-stdin-closes"), folder / f"workers-{number}.log")


def signalled(pid: int, number: signal.Signals) -> bool:
    """Whether a process was there to be signalled."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False


def memory_megabytes(pids: list[int]) -> float:
    """What processes hold that they do not share, all together."""
    return sum(map(_private_kilobytes, pids)) / 1024


def _private_kilobytes(pid: int) -> int:
    with suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))
    return 0
