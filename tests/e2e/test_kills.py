"""A server that is killed again and again under load, and what its database holds each time."""

import os
import random
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from e2e_load import Load, assert_all_is_there, submit
from e2e_processes import PATIENCE_SECONDS, Server

KILLS = 200
A_FEW = 8
MOST_IN_BETWEEN = 12


class ForkedServer(Server):
    """Servers that are forked from a process which has imported everything, so that each starts soon."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        with self._log.open("ab") as log:
            self._forking = subprocess.Popen(
                [sys.executable, "-m", "tests.e2e.forking_server"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._server = 0

    def __exit__(self, *error: object) -> None:
        if self._server:
            self.kill()
        self._forking.communicate(timeout=PATIENCE_SECONDS)
        super().__exit__(*error)

    def start(self) -> None:
        assert self._forking.stdin is not None
        self._forking.stdin.write(shlex.join(self.arguments) + "\n")
        self._forking.stdin.flush()
        self._server = int(self._said_by_the_first())
        self.when_ready()

    def kill(self) -> None:
        os.kill(self._server, signal.SIGKILL)
        assert self._said_by_the_first() == "ended\n"
        self._server = 0

    def _said_by_the_first(self) -> str:
        assert self._forking.stdout is not None
        return self._forking.stdout.readline()


@pytest.mark.parametrize("kills", [A_FEW, pytest.param(KILLS, marks=pytest.mark.slow)])
def test_no_kill_loses_what_was_acknowledged(kills: int, tmp_path: Path) -> None:
    chance = random.Random(kills)
    with ForkedServer(tmp_path) as server:
        study = submit(server)
        with Load(server, study) as load:
            for _ in range(kills):
                load.goes_on(chance.randint(1, MOST_IN_BETWEEN))
                server.kill()
                assert_all_is_there(server.database, study, dict(load.acknowledged))
                server.start()
    assert_all_is_there(server.database, study, load.acknowledged)
