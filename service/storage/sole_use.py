"""Keeps all but one process from writing to a SQLite file: two that write its log at once can corrupt it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import make_url


class DatabaseInUse(RuntimeError):
    """Another server has the SQLite file."""


class FolderMissing(RuntimeError):
    """There is no folder for the SQLite file."""


@contextmanager
def sole_use(url: str) -> Iterator[None]:
    """Hold a SQLite file for the length of a block; other databases have locks of their own."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        yield
        return
    path = Path(parsed.database or "").resolve()
    if not path.parent.is_dir():
        raise FolderMissing(f"there is no folder {path.parent} for the database; make it, or name another file")
    lock = FileLock(f"{path}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise DatabaseInUse(
            f"another server has {parsed.database}; stop it, or name another file with --database"
        ) from None
    try:
        yield
    finally:
        lock.release()
