"""Disks that have no room: one of four megabytes in memory, and, where none can be mounted, files that cannot grow."""

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from e2e_processes import Server

DISK_BYTES = 4 * 1024 * 1024
LARGEST_FILE_BYTES = 64 * 1024


class SmallDisk:
    """A disk of four megabytes, which a file beside the database fills."""

    trouble = "the disk is full"

    def __init__(self, folder: Path) -> None:
        self.folder, self._filler = folder, folder / "filler"

    def fill(self, _: Server) -> None:
        """Leaves no room, also where some was freed since the last time."""
        with self._filler.open("ab", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(4096))
            except OSError:
                return

    def make_room(self, _: Server) -> None:
        self._filler.unlink()


class LimitedFiles(SmallDisk):
    """A server whose files the system lets grow no further; this needs no rights that a tester may lack."""

    trouble = "the disk reports an error"

    def fill(self, server: Server) -> None:
        self._limit(server, LARGEST_FILE_BYTES)

    def make_room(self, server: Server) -> None:
        self._limit(server, None)

    def _limit(self, server: Server, largest: int | None) -> None:
        _, most = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (most if largest is None else largest, most))


@contextmanager
def small_disk_in(folder: Path) -> Iterator[SmallDisk]:
    """One in memory, or else limited files."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        yield LimitedFiles(folder)
        return
    yield SmallDisk(folder)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
