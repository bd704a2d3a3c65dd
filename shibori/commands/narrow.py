"""`shibori narrow`: says what the evidence says of each range, and opens the next round."""

import click

from service.protocol import RoundView
from shibori.commands.options import connect, echo_json, json_option, server_option
from shibori.sentences import verdict_lines


@click.command()
@click.argument("study")
@click.option("--apply", is_flag=True, help="Open a round with the ranges proposed.")
@click.option("--undo", is_flag=True, help="Open the ranges of the round before the one in force again.")
@server_option
@json_option
def command(study: str, apply: bool, undo: bool, server: str, as_json: bool) -> None:
    """Say what the evidence says of each range of a study: keep, narrow or widen, and why."""
    client = connect(server)
    if apply and undo:
        raise click.UsageError("--apply and --undo exclude each other.")
    if undo:
        _say(client.undo_round(study), as_json)
        return
    narrowing = client.narrowing(study)
    if not as_json:
        click.echo("\n".join(verdict_lines(narrowing)))
    elif not apply:
        echo_json(narrowing)
    if apply:
        _say(client.open_proposed_round(study), as_json)


def _say(opened: RoundView, as_json: bool) -> None:
    if as_json:
        echo_json(opened)
    else:
        click.echo(f"Round {opened.number} is open.", err=True)
