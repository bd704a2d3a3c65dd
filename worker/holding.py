"""What a worker process holds, written where its parent still reads it after the process died."""

import json
import os
import threading
from dataclasses import asdict, dataclass

RECORD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Record:
    """The trial under way and its lease, the process group of a command, and how the process left."""

    trial: int | None = None
    lease: str | None = None
    group: int | None = None
    left: int | None = None


class Holding:
    """The record of the process that writes it, in a file that both processes have open."""

    def __init__(self, file: int) -> None:
        self.parting = threading.Lock()
        """Held by whoever tells the server how the trial under way ends, and never let go by who ends the process."""
        self._file = file
        self.record = Record()

    def take(self, trial: int, lease: str) -> None:
        self._write(Record(trial, lease))

    def runs_group(self, group: int | None) -> None:
        self._write(Record(self.record.trial, self.record.lease, group))

    def drop(self) -> None:
        self._write(Record())

    def leave(self, code: int) -> None:
        """Says that the end of the process which follows is meant."""
        self._write(Record(left=code))

    def _write(self, record: Record) -> None:
        self.record = record
        os.pwrite(self._file, json.dumps(asdict(record)).encode().ljust(RECORD_BYTES), 0)


def read(file: int) -> Record:
    """What the other process wrote last."""
    text = os.pread(file, RECORD_BYTES, 0).strip()
    return Record(**json.loads(text)) if text else Record()
