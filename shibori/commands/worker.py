"""`shibori worker`: runs trials for a server."""

import os
import re
import shlex
import sys

import click

from shibori.commands.options import connect, server_option
from shibori.until import end_with_stdin

OBJECTIVE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._:-]{0,127}")


def _checked_name(_context: click.Context, _parameter: click.Parameter, name: str) -> str:
    if not OBJECTIVE_NAME.fullmatch(name):
        raise click.BadParameter("is at most 128 letters, digits and . _ : - and begins with a letter, a digit or _")
    return name


@click.command()
@server_option
@click.option(
    "--processes", type=click.IntRange(1, 1024), default=None, help="How many run at once; default: one a core."
)
@click.option("--objective", metavar="MODULE:FUNCTION", help="A function of your own to run trials with.")
@click.option("--command", "program", metavar="COMMAND", help="A program of your own, run once a trial.")
@click.option(
    "--name",
    "command_name",
    default="command",
    show_default=True,
    callback=_checked_name,
    help="The objective that --command is.",
)
@click.option("--study", metavar="STUDY", help="Work for this study alone.")
@click.option(
    "--exit-when-idle",
    "idle_seconds",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="End when there was nothing to do for so long.",
)
@click.option("--until-stdin-closes", is_flag=True, hidden=True)
def command(
    server: str,
    processes: int | None,
    objective: str | None,
    program: str | None,
    command_name: str,
    study: str | None,
    idle_seconds: float | None,
    until_stdin_closes: bool,
) -> None:
    """Run trials for a server, in one process a core.

    An interrupt ends each process after the epoch it is in; its trial goes back to the server. A
    process that dies is started again.

    A COMMAND gets each parameter in SHIBORI_PARAM_<NAME> and all as JSON on its standard input. It
    prints epochs as {"epoch": 1, "train_loss": 0.5} and at the end {"value": 0.83}, each on a line. Where
    SHIBORI_PURPOSE is final_test, the value is that on test data, and "purpose": "final_test" stands beside it.
    """
    from worker.config import WorkerConfig
    from worker.parent import work

    connect(server)
    _check(objective, program)
    if until_stdin_closes:
        end_with_stdin()
    config = WorkerConfig(
        server=server,
        objective=objective,
        command=program,
        command_name=command_name,
        study=study,
        exit_when_idle_seconds=idle_seconds,
    )
    sys.exit(work(config, processes or cores()))


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _check(objective: str | None, program: str | None) -> None:
    if objective is not None and program is not None:
        raise click.UsageError("--objective and --command exclude each other; give one of them.")
    if objective is not None and not all(objective.partition(":")):
        raise click.BadParameter(
            f"must be module:function, as in train:objective, got {objective!r}", param_hint="--objective"
        )
    if program is not None:
        _check_words(program)


def _check_words(program: str) -> None:
    try:
        words = shlex.split(program)
    except ValueError as error:
        raise click.BadParameter(f"{error} in {program!r}", param_hint="--command") from error
    if not words:
        raise click.BadParameter("must name a program", param_hint="--command")
