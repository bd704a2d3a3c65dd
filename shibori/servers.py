"""Several server processes on one port: a parent that listens, starts them, and starts again those that die."""

import logging
import multiprocessing
import os
import socket
import sys
from dataclasses import dataclass
from multiprocessing.process import BaseProcess

from service.exposition import process_ended, shared_by_processes
from service.logs import write_log
from service.settings import Settings
from shibori.server import serve
from shibori.until import end_with_parent
from worker.exits import described
from worker.holding import Record
from worker.supervisor import Supervisor

log = logging.getLogger("shibori.servers")


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A server process as its parent sees it; whatever its end, it is started again."""

    process: BaseProcess

    def returncode(self) -> int | None:
        return self.process.exitcode

    def record(self) -> Record:
        return Record()

    def terminate(self) -> None:
        self.process.terminate()

    def kill(self) -> int:
        """Ends it if it runs; hands out how it ended, be it before."""
        self.process.kill()
        self.process.join()
        return self.process.exitcode or 0

    def close(self) -> None:
        process_ended(self.process.pid or 0)
        self.process.close()


def serve_together(settings: Settings, listening: socket.socket, count: int) -> int:
    """Serve with so many processes until a signal ends them all; the exit code for the whole."""

    def start() -> ServerProcess:
        process = multiprocessing.get_context("spawn").Process(target=_serve_beside, args=(settings, listening))
        process.start()
        return ServerProcess(process)

    with shared_by_processes():
        supervisor = Supervisor(start, count, _bury)
        supervisor.install()
        return supervisor.run()


def _serve_beside(settings: Settings, listening: socket.socket) -> None:
    # A Ctrl-C at the terminal reaches the parent alone, which passes it on once.
    os.setpgid(0, 0)
    end_with_parent()
    write_log(sys.stderr, settings.log_format, settings.log_level)
    serve(settings, listening)


def _bury(_record: Record, code: int) -> None:
    log.warning("a server process ended with %s", described(code))
