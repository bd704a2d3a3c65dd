"""Talks with a running command: gives it the parameters, reads both its outputs, ends its group."""

import os
import signal
import subprocess
from collections import deque
from contextlib import suppress
from selectors import EVENT_READ, BaseSelector, DefaultSelector

from worker.exits import described
from worker.groups import signal_group
from worker.objectives.lines import Lines, Splitter
from worker.outcome import Unusable, Value
from worker.session import Session

LOOK_SECONDS = 0.2
GRACE_SECONDS = 1.0
LAST_LINES = 20
CHUNK = 65_536


class Conversation:
    def __init__(self, process: "subprocess.Popen[bytes]", session: Session, *, final_test: bool) -> None:
        self._process = process
        self._session = session
        self._lines = Lines(session.report, final_test=final_test)
        self._complaints: deque[str] = deque(maxlen=LAST_LINES)

    def value(self, params: str) -> Value:
        """The result that the command printed; raises `Stopped` as soon as the trial shall end."""
        _give(self._process, params)
        self._read_outputs()
        self._wait_for_end()
        if code := self._process.returncode:
            raise Unusable("\n".join([f"The command ended with {described(code)}.", "", *self._complaints]))
        return self._lines.value()

    def _read_outputs(self) -> None:
        with DefaultSelector() as selector:
            selector.register(_fileno(self._process.stdout), EVENT_READ, Splitter(self._lines.take))
            selector.register(_fileno(self._process.stderr), EVENT_READ, Splitter(self._complaints.append))
            while selector.get_map():
                self._session.check()
                # What a command leaves behind may hold its outputs open for ever.
                if not _read_ready(selector) and self._process.poll() is not None:
                    for key in selector.get_map().values():
                        key.data.feed(b"")
                    return

    def _wait_for_end(self) -> None:
        while self._process.poll() is None:
            self._session.check()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(LOOK_SECONDS)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Ends the process with all that it started: asks, waits a moment, then kills."""
    if process.poll() is None:
        signal_group(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
    signal_group(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def _give(process: "subprocess.Popen[bytes]", params: str) -> None:
    if process.stdin is not None:
        with suppress(BrokenPipeError), process.stdin as pipe:
            pipe.write(params.encode())


def _read_ready(selector: BaseSelector) -> bool:
    ready = selector.select(LOOK_SECONDS)
    for key, _ in ready:
        chunk = os.read(key.fd, CHUNK)
        key.data.feed(chunk)
        if not chunk:
            selector.unregister(key.fd)
    return bool(ready)


def _fileno(stream: object) -> int:
    return stream.fileno()  # type: ignore[attr-defined, no-any-return]
