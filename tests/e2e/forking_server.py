"""Starts servers one after the other in processes that need not import anything: a line of arguments, a process."""

import os
import shlex
import sys
from typing import NoReturn

import service.app  # noqa: F401 - what a server spends most of its start on
import shibori.commands.serve  # noqa: F401
from shibori.commands import main


def serve(arguments: list[str]) -> NoReturn:
    code = 1
    try:
        main([*arguments, "--until-stdin-closes"])
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        os._exit(code)


def fork(arguments: list[str]) -> int:
    """The process of a server, which ends with this one."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.close(writing)
        os.dup2(reading, sys.stdin.fileno())
        serve(arguments)
    os.close(reading)
    return child


for line in sys.stdin:
    server = fork(shlex.split(line))
    print(server, flush=True)  # noqa: T201 - told to the test
    os.waitpid(server, 0)
    print("ended", flush=True)  # noqa: T201
