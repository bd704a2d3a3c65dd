"""Tells the server at once of a trial whose process died, instead of letting its lease run out."""

import logging
import signal

from client import ApiError, Client
from worker.exits import described
from worker.groups import signal_group
from worker.holding import Record

log = logging.getLogger(__name__)


def bury(client: Client, record: Record, code: int) -> None:
    """Ends what the process left running, and fails the trial that it held, which may be tried again.

    Not one whose end was being told: that may be on its way.
    """
    log.warning("a worker process died with %s", described(code))
    if record.group is not None:
        signal_group(record.group, signal.SIGKILL)
    if record.telling:
        log.warning("trial %s: its end may be on its way, so its lease decides", record.trial)
    elif record.trial is not None and record.lease is not None:
        _fail(client, record.trial, record.lease, described(code))


def _fail(client: Client, trial: int, lease: str, how: str) -> None:
    message = f"The worker process that held this trial died with {how}."
    try:
        client.fail(trial, lease, "error", message, retryable=True)
    except ApiError as error:
        log.warning("trial %s: its end could not be told, so its lease will run out: %s", trial, error)
