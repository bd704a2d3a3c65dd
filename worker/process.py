"""A worker process as its parent sees it."""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import IO

from worker.config import WorkerConfig
from worker.holding import Record, read

ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True, slots=True)
class WorkerProcess:
    """A fresh interpreter; its standard input is the pipe whose end tells it that its parent is gone."""

    popen: "subprocess.Popen[bytes]"
    file: IO[bytes]

    def returncode(self) -> int | None:
        return self.popen.poll()

    def record(self) -> Record:
        return read(self.file.fileno())

    def terminate(self) -> None:
        self.popen.terminate()

    def kill(self) -> int:
        """Ends it if it runs; hands out how it ended, be it before."""
        self.popen.kill()
        return self.popen.wait()

    def close(self) -> None:
        """Lets go of what the parent holds of a process that ended."""
        if self.popen.stdin is not None:
            self.popen.stdin.close()
        self.file.close()


def start(config: WorkerConfig) -> WorkerProcess:
    """Starts a process whose BLAS is told to use one thread before anything imports NumPy."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
    popen = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        # -P: a package of the working directory must not stand in for one of ours.
        [sys.executable, "-P", "-m", "worker.child", config.model_dump_json(), str(file.fileno())],
        stdin=subprocess.PIPE,
        env={**os.environ, **ONE_THREAD},
        pass_fds=[file.fileno()],
        # A Ctrl-C at the terminal reaches the parent alone, which passes it on once.
        process_group=0,
    )
    return WorkerProcess(popen, file)
