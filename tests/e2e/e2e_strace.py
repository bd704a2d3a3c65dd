"""Watches the system calls of a running server with strace, and makes some of them fail."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path

import pytest
from e2e_processes import PATIENCE_SECONDS, eventually

REQUIRE = "SHIBORI_REQUIRE_STRACE"
LINE = re.compile(r"(?P<pid>\d+) +(?:<\.\.\. \w+ resumed>)?(?P<text>.*)")
CALL = re.compile(r"(?P<name>\w+)\((?P<number>\d+)<")


@dataclass(frozen=True, slots=True)
class Call:
    """A system call on an open file or socket; `begun` and `ended` are its places in the course of all."""

    name: str
    number: int
    text: str
    begun: int
    ended: int


def require_strace() -> None:
    """Skips, or fails where strace is asked for, unless strace can look into a process that runs here."""
    if shutil.which("strace") and _attaches():
        return
    if os.environ.get(REQUIRE) == "1":
        pytest.fail(f"strace cannot be used here, and {REQUIRE} asks for it", pytrace=False)
    pytest.skip("NOT RUN: strace cannot be used here")


@cache
def _attaches() -> bool:
    """Whether the system lets strace look into what it has not started itself."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as waiting:
        watch = ["strace", "-f", "-p", str(waiting.pid)]
        with subprocess.Popen(watch, stderr=subprocess.PIPE, text=True) as tracer:
            assert tracer.stderr is not None
            said = tracer.stderr.readline()
            waiting.communicate()
            tracer.communicate()
    return f"Process {waiting.pid} attached" in said


@contextmanager
def strace(pid: int, output: Path, *arguments: str) -> Iterator[None]:
    """All threads of a process are traced within it, and go on untraced afterwards."""
    said = output.with_suffix(".said")
    with said.open("wb") as err:
        tracer = subprocess.Popen(["strace", "-f", "-y", "-o", str(output), "-p", str(pid), *arguments], stderr=err)
    try:
        eventually(lambda: f"Process {pid} attached" in said.read_text(), "strace at work", said)
        yield
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait(PATIENCE_SECONDS)


def calls_in(trace: Path) -> list[Call]:
    """Every call of a trace, those that another one interrupted in one piece, by their ends."""
    begun: dict[str, tuple[int, str]] = {}
    calls = []
    for place, line in enumerate(trace.read_text(errors="replace").splitlines()):
        if (found := LINE.match(line)) is None:
            continue
        pid, text = found["pid"], found["text"]
        first, start = begun.pop(pid, (place, "")) if "resumed>" in line[:60] else (place, "")
        if text.endswith("<unfinished ...>"):
            begun[pid] = (place, text.removesuffix("<unfinished ...>"))
        elif call := CALL.match(start + text):
            calls.append(Call(call["name"], int(call["number"]), start + text, first, place))
    return calls


def answered_too_soon(calls: Iterable[Call], marks: Iterable[str]) -> list[str]:
    """The requests, by a mark in their bodies, whose 2xx left before their write was on the disk."""
    calls = list(calls)
    return [mark for mark in marks if not _flushed_in_between(calls, mark)]


def _flushed_in_between(calls: list[Call], mark: str) -> bool:
    asked = next(call for call in calls if call.name in ("recvfrom", "read") and mark in call.text)
    written = next(call for call in calls if _is_log(call, "pwrite64") and mark in call.text)
    answered = next(
        call
        for call in calls
        if call.name in ("sendto", "sendmsg", "write", "writev")
        and call.number == asked.number
        and call.begun > asked.ended
        and "HTTP/1.1 2" in call.text
    )
    flushes = (call for call in calls if _is_log(call, "fdatasync", "fsync") and call.text.endswith("= 0"))
    return any(written.ended < flush.begun and flush.ended < answered.begun for flush in flushes)


def _is_log(call: Call, *names: str) -> bool:
    return call.name in names and "-wal>" in call.text


def marks() -> Iterator[str]:
    """Texts that are nowhere else."""
    return (f"mark{number:08d}" for number in count(1))
