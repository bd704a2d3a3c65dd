"""`shibori best`: shows the best trials of a study."""

import click

from shibori.commands.options import connect, echo_json, json_option, server_option


@click.command()
@click.argument("study")
@click.option("-n", "count", type=click.IntRange(min=1), default=5, show_default=True, help="How many.")
@click.option("--round", "round_number", type=click.IntRange(min=0), help="Only trials of this round.")
@server_option
@json_option
def command(study: str, count: int, round_number: int | None, server: str, as_json: bool) -> None:
    """Show the best trials of a study, best first."""
    client = connect(server)
    if as_json:
        echo_json(client.best(study, count, round=round_number))
    else:
        click.echo(client.best_text(study, count, round=round_number), nl=False)
