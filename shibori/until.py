"""Ends a process when the one that started it is gone."""

import os
import signal
import sys
import threading


def end_with_stdin() -> None:
    """Sends this process SIGTERM when its standard input closes, as it does when its parent dies."""
    threading.Thread(target=_wait, args=(sys.stdin.fileno(),), name="stdin", daemon=True).start()


def _wait(stdin: int) -> None:
    while os.read(stdin, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
