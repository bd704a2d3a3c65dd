"""What a worker process holds, written where its parent still reads it after the process died."""

import json
import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

RECORD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Record:
    """The trial that it holds and its lease, the process group of a command, and how the process left."""

    trial: int | None = None
    lease: str | None = None
    group: int | None = None
    left: int | None = None
    telling: bool = False
    """Whether the server is being told how the trial ends: to say anything else could overtake that."""


class Holding:
    """The record of the process that writes it, in a file that both processes have open; `leave` is the last word."""

    def __init__(self, file: int) -> None:
        self.parting = threading.Lock()
        """Held by whoever gives up what the process holds, so that nobody else does so at the same time."""
        self._writing = threading.Lock()
        self._file = file
        self.record = Record()

    def take(self, trial: int, lease: str) -> None:
        self._write(lambda record: Record(trial, lease, record.group))

    def tell(self) -> None:
        """From now on the server is told how the trial ends."""
        self._write(lambda record: replace(record, telling=True))

    def runs_group(self, group: int | None) -> None:
        self._write(lambda record: replace(record, group=group))

    def drop(self) -> None:
        self._write(lambda _: Record())

    def leave(self, code: int) -> Record:
        """Says that the end of the process which follows is meant; hands out what it held until then."""
        return self._write(lambda _: Record(left=code))

    def _write(self, change: Callable[[Record], Record]) -> Record:
        with self._writing:
            before = self.record
            if before.left is None:
                self.record = change(before)
                os.pwrite(self._file, json.dumps(asdict(self.record)).encode().ljust(RECORD_BYTES), 0)
            return before


def read(file: int) -> Record:
    """What the other process wrote last."""
    text = os.pread(file, RECORD_BYTES, 0).strip()
    return Record(**json.loads(text)) if text else Record()
