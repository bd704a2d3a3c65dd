"""Processes that are asked to end, deep in an epoch that nothing interrupts; signals that mean something else."""

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from worker.exits import INTERRUPTED

BEGIN = """
import os, signal, sys, time
from worker import shutdown

def say(word):
    os.write(1, f"{word}\\n".encode())

def leave():
    say("leaves")
    time.sleep(600)

shutdown.GRACE_SECONDS = 0.05
shutdown.install(shutdown.Shutdown(), leave, sys.stdin.fileno())
"""
EPOCH = """
say("trains")
while True:
    time.sleep(0.01)
"""
FORKS = """
ready, here = os.pipe()

def fork():
    child = os.fork()
    if child == 0:
        try:
            os.write(here, b".")
            time.sleep(600)
        except KeyboardInterrupt:
            os._exit(2)
    return child

def ended(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

for _ in range(20):
    child = fork()
    os.kill(child, signal.SIGTERM)
    assert ended(child) == -signal.SIGTERM
ready, here = os.pipe()
for _ in range(5):
    child = fork()
    os.read(ready, 1)
    os.kill(child, signal.SIGINT)
    assert ended(child) == 2
say("forked")
"""


@pytest.fixture
def process(request: pytest.FixtureRequest) -> Iterator["subprocess.Popen[str]"]:
    """One that runs what is given, and then an epoch."""
    command = [sys.executable, "-c", BEGIN + getattr(request, "param", "") + EPOCH]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        yield running
        running.kill()


def heard(process: "subprocess.Popen[str]") -> str:
    """The next word."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_process_leaves_from_beside_its_epoch_and_a_second_signal_ends_it_at_once(
    process: "subprocess.Popen[str]",
) -> None:
    assert heard(process) == "trains"
    process.send_signal(signal.SIGTERM)
    assert heard(process) == "leaves"
    process.send_signal(signal.SIGINT)
    assert process.wait(120) == INTERRUPTED


def test_a_process_leaves_when_its_parent_is_gone(process: "subprocess.Popen[str]") -> None:
    assert heard(process) == "trains"
    assert process.stdin is not None
    process.stdin.close()
    assert heard(process) == "leaves"


@pytest.mark.parametrize("process", ['signal.signal(signal.SIGUSR1, lambda *_: say("tick"))'], indirect=True)
def test_a_signal_that_an_objective_takes_for_itself_is_not_the_end(process: "subprocess.Popen[str]") -> None:
    assert heard(process) == "trains"
    for _ in range(3):
        process.send_signal(signal.SIGUSR1)
        assert heard(process) == "tick"
    process.send_signal(signal.SIGTERM)
    assert heard(process) == "leaves"


@pytest.mark.parametrize("process", [FORKS], indirect=True)
def test_what_an_objective_forks_ends_by_a_signal_and_takes_nobody_with_it(process: "subprocess.Popen[str]") -> None:
    assert heard(process) == "forked"
    assert heard(process) == "trains"
    process.send_signal(signal.SIGTERM)
    assert heard(process) == "leaves"
