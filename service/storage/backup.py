"""Copies a SQLite database to another file while a server writes to it."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from service.storage import migrations
from service.storage.sqlite import sqlite_engine
from service.storage.sqlite_library import library


class BackupRefused(RuntimeError):
    """There is something that a backup would need or must not touch."""


class BackupFailed(RuntimeError):
    """The copy could not be made, or is not what it should be, and is not kept."""


@dataclass(frozen=True, slots=True)
class Backup:
    file: Path
    size_bytes: int
    schema: str


def back_up(url: str, target: Path, *, replace: bool = False) -> Backup:
    """Copy the database as it stands now to a file, which has its name only once it is whole and on the disk."""
    source = sa.make_url(url)
    if source.get_backend_name() != "sqlite":
        raise BackupRefused(
            "this copies SQLite files; PostgreSQL is backed up with pg_dump, and restored with pg_restore"
        )
    _require_possible(Path(source.database or ""), target, replace=replace)
    with _unfinished(target) as copy:
        _copy(source, copy)
        schema = _checked(copy)
        _flush(copy)
        copy.replace(target)
    _flush(target.parent)
    return Backup(target, target.stat().st_size, schema)


def _require_possible(source: Path, target: Path, *, replace: bool) -> None:
    if not source.is_file():
        raise BackupRefused(f"there is no database {source}")
    if not target.parent.is_dir():
        raise BackupRefused(f"there is no folder {target.parent}; make it first")
    if target.exists() and (not replace or not target.is_file()):
        raise BackupRefused(f"there is a {target} already; name another file, or replace it with --force")
    if target.exists() and target.samefile(source):
        raise BackupRefused(f"{target} is the database itself")


@contextmanager
def _unfinished(target: Path) -> Iterator[Path]:
    """An empty file beside the target, which is gone afterwards unless it was given another name."""
    number, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".unfinished", dir=target.parent)
    os.close(number)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _copy(source: sa.URL, copy: Path) -> None:
    """All within one read: what is committed meanwhile is not in it, and waits for nothing."""
    engine = sqlite_engine(source, read_only=True)
    try:
        with closing(engine.raw_connection()) as connection:
            # The file is opened for reading alone; this would refuse to write the copy as well.
            connection.cursor().execute("PRAGMA query_only = OFF")
            connection.cursor().execute("VACUUM INTO ?", (str(copy),))
    except library().Error as error:
        raise BackupFailed(f"{source.database} could not be copied: {error}") from error
    finally:
        engine.dispose()


def _checked(copy: Path) -> str:
    """The schema of a copy, which is whole."""
    engine = sqlite_engine(sa.URL.create("sqlite", database=str(copy)), read_only=True)
    try:
        with engine.begin() as connection:
            found = connection.exec_driver_sql("PRAGMA quick_check").scalars().all()
            schema = migrations.current(connection)
    finally:
        engine.dispose()
    if found != ["ok"] or schema is None:
        raise BackupFailed(f"the copy is damaged: {'; '.join(found[:3])}, schema {schema or 'none'}")
    return schema


def _flush(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
