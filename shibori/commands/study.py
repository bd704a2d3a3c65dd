"""`shibori study`: submits, lists, shows, watches and controls studies."""

import json
from collections.abc import Callable
from typing import IO, Any

import click

from client import Client
from service.protocol import StudyView
from shibori.commands import study_confirm, take_in
from shibori.commands.options import connect, echo_json, json_option, server_option, table
from shibori.progress import follow
from shibori.sentences import importance_lines, importance_rows, replay_lines, study_lines, study_row

HEADINGS = ("NAME", "STATUS", "FINISHED", "BEST", "ROUND")


@click.group()
def command() -> None:
    """Submit, list, show, watch and control studies."""


command.add_command(take_in.command)


@command.command()
@click.argument("file", type=click.File("rb"))
@server_option
@json_option
def create(file: IO[bytes], server: str, as_json: bool) -> None:
    """Submit the study in FILE, a JSON document; - reads the standard input."""
    _show(connect(server).submit_study(_read(file)), as_json)


@command.command(name="list")
@click.option("--status", help="Only studies of this status.")
@click.option("--tag", help="Only studies with this tag.")
@server_option
@json_option
def list_studies(status: str | None, tag: str | None, server: str, as_json: bool) -> None:
    """List the studies."""
    studies = list(connect(server).studies(status=status, tag=tag))
    if as_json:
        echo_json(studies)
    else:
        table([HEADINGS, *(study_row(study) for study in studies)])


@command.command()
@click.argument("study")
@server_option
@json_option
def show(study: str, server: str, as_json: bool) -> None:
    """Show one study, by name or id."""
    _show(connect(server).study(study), as_json)


@command.command()
@click.argument("study")
@server_option
@json_option
def watch(study: str, server: str, as_json: bool) -> None:
    """Show a study's progress and its best so far until it ends."""
    _show(follow(connect(server), study), as_json)


@command.command()
@click.argument("study")
@click.argument("number", type=click.IntRange(min=0))
@server_option
@json_option
def replay(study: str, number: int, server: str, as_json: bool) -> None:
    """Compute the values of trial NUMBER again from what was known then; exit with 1 where they differ."""
    replayed = connect(server).replay(study, number)
    if as_json:
        echo_json(replayed)
    else:
        click.echo("\n".join(replay_lines(replayed)))
    if not replayed.equal:
        raise SystemExit(1)


@command.command()
@click.argument("study")
@server_option
@json_option
def importance(study: str, server: str, as_json: bool) -> None:
    """Say which parameters of a study matter, and which cannot be told apart from noise."""
    told = connect(server).importance(study)
    if as_json:
        echo_json(told)
    else:
        table(importance_rows(told))
        click.echo("\n".join(importance_lines(told)))


@command.command(name="best-model")
@click.argument("study")
@click.option("-o", "--output", type=click.File("wb"), required=True, help="The file to write; - is standard output.")
@server_option
@json_option
def best_model(study: str, output: IO[bytes], server: str, as_json: bool) -> None:
    """Fetch what the best trial has learned, from a study with "keep_weights": "best"."""
    content = connect(server).best_model(study)
    output.write(content)
    if as_json and output.name != "-":
        click.echo(json.dumps({"file": output.name, "bytes": len(content)}))
    else:
        click.echo(f"{len(content):,} bytes are in {output.name}.", err=True)


@command.command()
@click.argument("study")
@click.option("--yes", is_flag=True, help="Do not ask.")
@server_option
@json_option
def delete(study: str, yes: bool, server: str, as_json: bool) -> None:
    """Delete a study that is not running, with all its trials."""
    if not yes:
        click.confirm(f"Delete the study {study} and all its trials?", abort=True, err=True)
    connect(server).delete(study)
    if as_json:
        click.echo(json.dumps({"deleted": study}))
    else:
        click.echo(f"{study} is deleted.", err=True)


def _control(name: str, call: Callable[[Client, str], StudyView], sentence: str) -> None:
    @command.command(name=name, help=sentence)
    @click.argument("study")
    @server_option
    @json_option
    def control(study: str, server: str, as_json: bool) -> None:
        _show(call(connect(server), study), as_json)


_control("pause", Client.pause, "Let running trials finish and start no others.")
_control("resume", Client.resume, "Go on with a study that was paused.")
_control("stop", Client.stop, "End a study for good: its trials are cancelled.")
command.add_command(study_confirm.confirm)
command.add_command(study_confirm.final_test)


def _show(study: StudyView, as_json: bool) -> None:
    if as_json:
        echo_json(study)
    else:
        click.echo("\n".join(study_lines(study)))
    for warning in study.warnings:
        click.echo(f"Warning: {warning}", err=True)


def _read(file: IO[bytes]) -> dict[str, Any]:
    try:
        read = json.load(file)
    except (ValueError, RecursionError) as error:
        raise click.BadParameter(f"is no JSON document: {error}", param_hint="FILE") from error
    if not isinstance(read, dict):
        raise click.BadParameter("must hold a JSON object, as in {...}", param_hint="FILE")
    return read
