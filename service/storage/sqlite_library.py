"""Which SQLite is used: Python's own where it is sound, else the newer one that the pysqlite3 package brings."""

import sqlite3
from functools import cache
from types import ModuleType

SOUND = (3, 51, 3)
"""Before it, two connections that write or checkpoint at once can damage the write-ahead log."""


@cache
def library() -> ModuleType:
    """The one DB-API module of this process: two libraries that have one file open would undo each other's locks."""
    if is_sound(sqlite3):
        return sqlite3
    try:
        from pysqlite3 import dbapi2
    except ImportError:
        return sqlite3
    return newest(sqlite3, dbapi2)


def newest(*modules: ModuleType) -> ModuleType:
    """The module with the latest SQLite; the first of those that have the same."""
    return max(modules, key=_version)


def is_sound(module: ModuleType) -> bool:
    return _version(module) >= SOUND


def described(module: ModuleType) -> str:
    """The version, and where it comes from."""
    return f"SQLite {module.sqlite_version} ({module.__name__.partition('.')[0]})"


def warning(module: ModuleType) -> str | None:
    """What somebody should know who runs a server on this SQLite; None where there is nothing."""
    if is_sound(module):
        return None
    sound = ".".join(map(str, SOUND))
    return (
        f"SQLite {module.sqlite_version} can damage its write-ahead log when two connections write at once. "
        "This server writes through one alone, so do not let another program write to its file. "
        f"The way out is SQLite {sound} or later: install the package pysqlite3, or a newer Python."
    )


def _version(module: ModuleType) -> tuple[int, ...]:
    return tuple(module.sqlite_version_info)
