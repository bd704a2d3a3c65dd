"""A group whose commands are imported when they are called, and whose errors are lines and exit codes."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from shibori.commands.faults import exit_code_of, lines_of


class CommandGroup(click.Group):
    """`names` maps each command, which is `command` in the module of its name, to its line of help."""

    def __init__(self, *, names: Mapping[str, str], **attributes: Any) -> None:
        super().__init__(**attributes)
        self._names = names

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click calls it so
        return list(self._names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in self._names:
            return None
        command: click.Command = import_module(f"shibori.commands.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(self._names.items()))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            ctx.exit(130)
        except Exception as error:
            if (code := exit_code_of(error)) is None:
                raise
            for line in lines_of(error):
                click.echo(f"Error: {line}", err=True)
            ctx.exit(code)
