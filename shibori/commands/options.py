"""Options and outputs that several commands share."""

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click
from pydantic import BaseModel

from client import Client, Retry
from client.client import DEFAULT_URL

Function = TypeVar("Function", bound=Callable[..., Any])
PATIENCE_SECONDS = 2.0

server_option = click.option(
    "--server",
    envvar="SHIBORI_SERVER_URL",
    default=DEFAULT_URL,
    show_default=True,
    show_envvar=True,
    help="The server's address.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON as the API has it.")


def connect(server: str) -> Client:
    """A client that gives up soon, for somebody waits at the terminal."""
    try:
        return Client(server, retry=Retry(total_seconds=PATIENCE_SECONDS))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--server") from error


def echo_json(data: BaseModel | Sequence[BaseModel]) -> None:
    if isinstance(data, BaseModel):
        click.echo(data.model_dump_json(indent=2, by_alias=True))
    else:
        click.echo(json.dumps([item.model_dump(mode="json", by_alias=True) for item in data], indent=2))


def table(rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their widest entry."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(entry.ljust(width) for entry, width in zip(row, widths, strict=True)).rstrip())
