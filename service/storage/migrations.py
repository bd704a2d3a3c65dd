"""Brings a database to the schema that this version needs, and tells whether it has it."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import migrations
from service.storage.postgresql_engine import postgresql_engine
from service.storage.sqlite import sqlite_engine
from service.storage.tables import VERSION_TABLE

# Any number will do, as long as all servers take the same one.
ADVISORY_LOCK = 5_040_742_651


class SchemaMismatch(RuntimeError):
    """The database has another schema than this version needs."""


def migration_engine(url: str, *, read_only: bool = False) -> sa.Engine:
    """An engine whose transactions cover changes of the schema too."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return postgresql_engine(parsed)
    engine = sqlite_engine(parsed, read_only=read_only)
    # Rebuilding a table drops it, which would delete the rows that refer to it.
    sa.event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys = OFF"))
    return engine


def upgrade(url: str) -> None:
    """Run what migrations are missing; servers that start together wait for the first one to do so."""
    with _transaction(url) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ADVISORY_LOCK})
        config = _config(connection)
        _require_known(current(connection), config)
        command.upgrade(config, "head")


def prepare(url: str) -> None:
    """What a server does first: bring the database to this version's schema, where it has another."""
    if is_current(url):
        return
    try:
        upgrade(url)
    except sa.exc.ProgrammingError as error:
        # As of a role that may use the tables and not make any.
        raise SchemaMismatch(f"the schema could not be brought to {head()}: {error.orig}") from error


def is_current(url: str) -> bool:
    """Whether a database is at the revision that this version needs."""
    if _absent(url):
        return False
    with _transaction(url, read_only=True) as connection:
        return current(connection) == head()


def check(url: str) -> None:
    """Raise SchemaMismatch unless the schema is the one that the tables describe."""
    if _absent(url):
        raise SchemaMismatch("there is no such file yet; run `shibori db upgrade`")
    with _transaction(url, read_only=True) as connection:
        found = current(connection)
        if found != head():
            _require_known(found, _config(connection))
            raise SchemaMismatch(
                f"the database is at schema {found or 'none'} and this version needs {head()}; run `shibori db upgrade`"
            )
        command.check(_config(connection))


@contextmanager
def snapshot(url: str) -> Iterator[sa.Connection]:
    """A connection that reads a database as it is at one moment."""
    engine = migration_engine(url, read_only=True)
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection
    finally:
        engine.dispose()


def current(connection: sa.Connection) -> str | None:
    """The revision that a database is at."""
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


@cache
def head() -> str:
    """The revision that this version needs."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def _absent(url: str) -> bool:
    """Whether a look at a database would make it: SQLite creates what is not there."""
    parsed = sa.make_url(url)
    return parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").exists()


def _require_known(revision: str | None, config: Config) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise SchemaMismatch(
            f"the database is at schema {revision}, which this version does not know; run the version that made it"
        )


@contextmanager
def _transaction(url: str, *, read_only: bool = False) -> Iterator[sa.Connection]:
    """A transaction on an engine of its own, which holds no connection afterwards, whatever happened."""
    engine = migration_engine(url, read_only=read_only)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _config(connection: sa.Connection | None = None) -> Config:
    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    return config
