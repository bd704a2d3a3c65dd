"""`shibori db`: brings a database to this version's schema, and checks whether it has it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import click
from pydantic import ValidationError

from shibori.commands.options import json_option


def _checked_url(_context: click.Context, _parameter: click.Parameter, url: str) -> str:
    from service.settings import Settings

    try:
        return Settings(database_url=url).database_url
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise click.BadParameter(first["msg"].removeprefix("Value error, ")) from error


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
    from sqlalchemy.exc import OperationalError

    from service.storage.migrations import SchemaMismatch
    from service.storage.postgresql_engine import ServerTooOld
    from service.storage.sole_use import DatabaseInUse, FolderMissing

    try:
        yield
    except (DatabaseInUse, FolderMissing, SchemaMismatch, ServerTooOld) as error:
        raise click.ClickException(str(error)) from error
    except OperationalError as error:
        raise click.ClickException(f"the database does not answer: {error.orig}") from error


@click.group()
def command() -> None:
    """Upgrade or check a database."""


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
    """Fail unless the database has this version's schema."""
    from service.storage import migrations

    with database_errors():
        migrations.check(database)
    _say_current(as_json)


def _say_current(as_json: bool) -> None:
    from service.storage.migrations import head

    if as_json:
        click.echo(json.dumps({"schema": head()}))
    else:
        click.echo("The database has the schema of this version.", err=True)
