"""`shibori serve`: runs the server."""

import socket
import sys
from collections.abc import Iterator
from typing import Any

import click
from pydantic import ValidationError

from shibori.commands.db import database_errors, database_option
from shibori.until import end_with_stdin


@click.command()
@click.option(
    "--host", envvar="SHIBORI_HOST", default="127.0.0.1", show_default=True, show_envvar=True, help="Where to listen."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    envvar="SHIBORI_PORT",
    default=8000,
    show_default=True,
    show_envvar=True,
    help="The port to listen on.",
)
@database_option
@click.option(
    "--workers",
    "count",
    type=click.IntRange(1, 64),
    envvar="SHIBORI_WORKERS",
    default=1,
    show_default=True,
    show_envvar=True,
    help="How many server processes share the port; more than one need PostgreSQL.",
)
@click.option(
    "--log-format",
    type=click.Choice(["json", "text"]),
    envvar="SHIBORI_LOG_FORMAT",
    show_envvar=True,
    help="How the log is written; text on a terminal and JSON elsewhere, unless said.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    envvar="SHIBORI_LOG_LEVEL",
    default="info",
    show_default=True,
    show_envvar=True,
    help="The least that is logged.",
)
@click.option("--until-stdin-closes", is_flag=True, hidden=True)
def command(host: str, port: int, database: str, count: int, until_stdin_closes: bool, **logs: Any) -> None:
    """Run the server until it is interrupted. Its log goes to the standard error."""
    _require_shareable(database, count)
    from service.logs import write_log
    from service.settings import Settings
    from service.storage.migrations import prepare
    from service.storage.sole_use import sole_use
    from shibori.server import serve
    from shibori.servers import serve_together

    try:
        settings = Settings(database_url=database, **logs)
    except ValidationError as error:
        raise click.UsageError("\n".join(_faults(error))) from error
    write_log(sys.stderr, settings.log_format, settings.log_level)
    if until_stdin_closes:
        end_with_stdin()
    listening = _listening(host, port)
    with database_errors(), sole_use(database):
        prepare(database)
    if count > 1:
        sys.exit(serve_together(settings, listening, count))
    serve(settings, listening)


def _faults(error: ValidationError) -> Iterator[str]:
    """Of the settings that no flag is for, each by its variable."""
    for fault in error.errors(include_url=False, include_input=False):
        name = "SHIBORI_" + "_".join(str(part) for part in fault["loc"]).upper()
        message = fault["msg"].removeprefix("Value error, ")
        yield f"{name}: {message[:1].lower()}{message[1:]}"


def _require_shareable(database: str, count: int) -> None:
    from sqlalchemy import make_url

    if count > 1 and make_url(database).get_backend_name() == "sqlite":
        raise click.UsageError(
            f"{count} servers cannot share a SQLite file: two that write to it at once can damage it. "
            "Leave --workers out, or name a PostgreSQL database with --database."
        )


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sends small answers at once; without, each one waits some 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}, port {port}: {(error.strerror or '').lower()}") from error
    return listening
