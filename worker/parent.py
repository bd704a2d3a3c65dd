"""Runs worker processes until they are done or asked to end."""

from functools import partial

from client import Client, Retry
from worker.config import WorkerConfig
from worker.crashes import bury
from worker.process import start
from worker.supervisor import Supervisor

PATIENCE_SECONDS = 2.0


def work(config: WorkerConfig, processes: int) -> int:
    """The exit code for the whole."""
    client = Client(config.server, retry=Retry(total_seconds=PATIENCE_SECONDS))
    supervisor = Supervisor(partial(start, config), processes, partial(bury, client))
    supervisor.install()
    return supervisor.run()
