"""The server and the workers of the demonstration, which end when it ends, however that is."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

GRACE_SECONDS = 12.0
LAST_LINES = 10


class ProcessEnded(Exception):
    """One of the processes ended before its time; the message has the end of its log."""


@dataclass(frozen=True, slots=True)
class Started:
    """`python -m shibori` with some arguments, in a process group of its own."""

    what: str
    popen: "subprocess.Popen[bytes]"
    log: Path

    def check(self) -> None:
        if (code := self.popen.poll()) is not None:
            lines = self.log.read_text(errors="replace").splitlines()[-LAST_LINES:]
            raise ProcessEnded("\n".join([f"The {self.what} ended with {code}; {self.log} ends with:", *lines]))

    def stop(self) -> None:
        """Asks it to end and waits; kills its whole group if it does not, or nobody can wait."""
        try:
            self.popen.terminate()
            self.popen.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.popen.pid, signal.SIGKILL)
            self.popen.wait()
            if self.popen.stdin is not None:
                self.popen.stdin.close()


@contextmanager
def running(what: str, arguments: list[str], log: Path) -> Iterator[Started]:
    """A process for the length of a block. It ends by itself when this one does not live to end it."""
    with log.open("ab") as out:
        popen = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-P", "-m", "shibori", *arguments, "--until-stdin-closes"],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    started = Started(what, popen, log)
    try:
        yield started
    finally:
        started.stop()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
