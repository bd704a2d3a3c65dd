"""`shibori db`: brings a database to this version's schema, looks through it, and copies it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from service.protocol import MAX_PAGE, MOST_DAYS, CurveRetention
from shibori.commands.options import connect, json_option


def _checked_url(_context: click.Context, _parameter: click.Parameter, url: str) -> str:
    from service.settings import Settings

    try:
        return Settings(database_url=url).database_url
    except ValidationError as error:
        # What else is wrong comes from the environment, and no command but the server goes by it.
        faults = (fault for fault in error.errors(include_url=False, include_input=False) if _is_of_url(fault))
        if (fault := next(faults, None)) is not None:
            raise click.BadParameter(fault["msg"].removeprefix("Value error, ")) from error
    return url


def _is_of_url(fault: ErrorDetails) -> bool:
    return fault["loc"] == ("database_url",)


database_option = click.option(
    "--database",
    callback=_checked_url,
    envvar="SHIBORI_DATABASE_URL",
    default="sqlite:///shibori.db",
    show_default=True,
    show_envvar=True,
    help="The database's URL.",
)


@contextmanager
def database_errors() -> Iterator[None]:
    """What keeps a command from its database, told in a sentence."""
    from sqlalchemy.exc import DatabaseError

    from service.storage.backup import BackupFailed, BackupRefused
    from service.storage.migrations import SchemaMismatch
    from service.storage.postgresql_engine import ServerTooOld
    from service.storage.sole_use import DatabaseInUse, FolderMissing

    try:
        yield
    except (BackupFailed, BackupRefused, DatabaseInUse, FolderMissing, SchemaMismatch, ServerTooOld, OSError) as error:
        raise click.ClickException(str(error)) from error
    except DatabaseError as error:
        raise click.ClickException(f"the database does not answer: {error.orig}") from error


@click.group()
def command() -> None:
    """Upgrade, check, copy or prune a database."""


@command.command()
@database_option
@json_option
def upgrade(database: str, as_json: bool) -> None:
    """Run the migrations that are missing."""
    from service.storage import migrations
    from service.storage.sole_use import sole_use

    with database_errors():
        if not migrations.is_current(database):
            with sole_use(database):
                migrations.upgrade(database)
    _say_current(as_json)


@command.command()
@database_option
@json_option
def check(database: str, as_json: bool) -> None:
    """Fail unless the database is whole: its schema, its file, and what must hold between its rows.

    It only reads, and may run beside a server.
    """
    from service.storage.examination import examine

    with database_errors():
        examined = examine(database)
    if as_json:
        click.echo(json.dumps(asdict(examined)))
    else:
        for fault in examined.faults:
            for offender in fault.offenders:
                click.echo(f"{fault.invariant}: {', '.join(f'{name} {value}' for name, value in offender.items())}")
            if fault.more:
                click.echo(f"{fault.invariant}: ... and more")
    if examined.faults:
        raise click.ClickException(f"{len(examined.faults)} of {examined.checks} checks found something wrong")
    click.echo(f"The database has the schema of this version, and passes {examined.checks} checks.", err=True)


@command.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@database_option
@click.option("--force", is_flag=True, help="Replace the file where there is one.")
@json_option
def backup(file: Path, database: str, force: bool, as_json: bool) -> None:
    """Copy a SQLite database to FILE, also while a server writes to it.

    The copy has its name only once it is complete, checked and on the disk.
    """
    from service.storage.backup import back_up

    with database_errors():
        made = back_up(database, file, replace=force)
    if as_json:
        click.echo(json.dumps({"file": str(made.file), "bytes": made.size_bytes, "schema": made.schema}))
    else:
        click.echo(f"{made.file} holds the database, {made.size_bytes:,} bytes at schema {made.schema}.", err=True)


@command.command()
@click.option(
    "--older-than", type=click.FloatRange(0, MOST_DAYS), required=True, metavar="DAYS", help="Since they ended."
)
@click.option("--keep-best", type=click.IntRange(0, MAX_PAGE), default=20, show_default=True, help="In each study.")
@click.option("--study", metavar="NAME", help="In one study, by its name or id, rather than in all.")
@click.option("--dry-run", is_flag=True, help="Only count.")
@click.option("--vacuum", is_flag=True, help="Make the SQLite file smaller afterwards.")
@click.option("--server", metavar="URL", help="The address of the server that has the database, where one runs.")
@database_option
@json_option
def prune(
    older_than: float,
    keep_best: int,
    study: str | None,
    dry_run: bool,
    vacuum: bool,
    server: str | None,
    database: str,
    as_json: bool,
) -> None:
    """Remove the learning curves of old trials.

    Those of the best stay, of all that cannot be told apart from the best one, and of what is confirmed or tested.
    Of the other trials all stays but the curve.
    """
    from shibori.commands.forgetting import through_server, without_server

    asked = CurveRetention(older_than_days=older_than, keep_best=keep_best, dry_run=dry_run)
    if vacuum and (server is not None or not database.startswith("sqlite")):
        raise click.UsageError("--vacuum is for a SQLite file that no server has.")
    if server is not None:
        parts = list(through_server(connect(server), study, asked))
    else:
        with database_errors():
            parts = without_server(database, study, asked, vacuum=vacuum)
    _say_forgotten(sum(part.curves for part in parts), sum(part.bytes for part in parts), dry_run, as_json)


def _say_forgotten(curves: int, size: int, dry_run: bool, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"curves": curves, "bytes": size, "dry_run": dry_run}))
    else:
        done = "would be removed" if dry_run else "removed"
        click.echo(f"{curves:,} curves {done}, about {size:,} bytes.", err=True)


def _say_current(as_json: bool) -> None:
    from service.storage.migrations import head

    if as_json:
        click.echo(json.dumps({"schema": head()}))
    else:
        click.echo("The database has the schema of this version.", err=True)
