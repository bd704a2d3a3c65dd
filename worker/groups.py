"""Process groups: a command with all that it started."""

import os
from contextlib import suppress


def signal_group(group: int, number: int) -> None:
    """Signals a process group, if it is still there."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
