"""`shibori narrow`: says what the evidence says of each range, and opens the next round."""

import click

from shibori.commands.options import connect, echo_json, json_option, server_option
from shibori.sentences import verdict_lines


@click.command()
@click.argument("study")
@click.option("--apply", is_flag=True, help="Open a round with the ranges proposed.")
@server_option
@json_option
def command(study: str, apply: bool, server: str, as_json: bool) -> None:
    """Say what the evidence says of each range of a study: keep, narrow or widen, and why."""
    client = connect(server)
    narrowing = client.narrowing(study)
    opened = client.open_proposed_round(study) if apply else None
    if as_json:
        echo_json(narrowing if opened is None else opened)
        return
    click.echo("\n".join(verdict_lines(narrowing)))
    if opened is not None:
        click.echo(f"Round {opened.number} is open.", err=True)
