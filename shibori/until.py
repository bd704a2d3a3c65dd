"""Ends a process when the one that started it is gone."""

import os
import signal
import sys
import threading
from multiprocessing import parent_process
from multiprocessing.connection import wait


def end_with_stdin() -> None:
    """Sends this process SIGTERM when its standard input closes, as it does when its parent dies."""
    threading.Thread(target=_wait, args=(sys.stdin.fileno(),), name="stdin", daemon=True).start()


def _wait(stdin: int) -> None:
    while os.read(stdin, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def end_with_parent() -> None:
    """Sends this process SIGTERM when the process that spawned it is gone."""
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_wait_for, args=(parent.sentinel,), name="parent", daemon=True).start()


def _wait_for(parent: int) -> None:
    wait([parent])
    os.kill(os.getpid(), signal.SIGTERM)
