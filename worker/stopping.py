"""Why an attempt ends before its objective does."""

from enum import StrEnum


class Halt(StrEnum):
    STOP = "stop"
    LEASE_LOST = "lease-lost"
    SHUTDOWN = "shutdown"


class Stopped(Exception):
    """Raised out of a report when the trial shall end here; nothing that follows is recorded."""

    def __init__(self, halt: Halt) -> None:
        super().__init__(f"this attempt ends here: {halt.value}")
        self.halt = halt


class ShuttingDown(Exception):
    """The process was asked to end while it waited for work."""
