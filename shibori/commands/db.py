"""`shibori db`: brings a database to this version's schema, and checks whether it has it."""

import click
from pydantic import ValidationError


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


@click.group()
def command() -> None:
    """Upgrade or check a database."""


@command.command()
@database_option
def upgrade(database: str) -> None:
    """Run the migrations that are missing."""
    from service.storage.migrations import upgrade as run

    run(database)
    click.echo("The database has the schema of this version.", err=True)


@command.command()
@database_option
def check(database: str) -> None:
    """Fail unless the database has this version's schema."""
    from service.storage.migrations import SchemaOutdated
    from service.storage.migrations import check as run

    try:
        run(database)
    except SchemaOutdated as error:
        raise click.ClickException(str(error)) from error
    click.echo("The database has the schema of this version.", err=True)
