"""`shibori study confirm` and `shibori study final-test`: what the best trials are worth."""

import time
from collections.abc import Callable
from typing import TypeVar

import click

from service.protocol import Confirmation, FinalTest
from shibori.commands.options import connect, echo_json, json_option, server_option
from shibori.confirmed import confirmation_lines, final_test_line

LOOK_SECONDS = 0.25
ONGOING, ENDED_WITHOUT = ("waiting", "running"), ("failed", "cancelled")
Standing = TypeVar("Standing", Confirmation, FinalTest)
wait_option = click.option("--wait", is_flag=True, help="Wait until all of it is trained.")


@click.command()
@click.argument("study")
@click.option("-n", "count", type=click.IntRange(1, 100), default=5, show_default=True, help="How many of the best.")
@click.option("--seeds", type=click.IntRange(1, 100), default=5, show_default=True, help="How often to train each.")
@click.option("--new-splits", is_flag=True, help="Split the data anew for each seed.")
@wait_option
@server_option
@json_option
def confirm(study: str, count: int, seeds: int, new_splits: bool, wait: bool, server: str, as_json: bool) -> None:
    """Train the best trials again with fresh seeds and say which can be told apart.

    Asked again, it adds what is missing and repeats nothing.
    """
    client = connect(server)
    confirmation = client.confirm(study, count, seeds, new_splits=new_splits)
    if wait:
        confirmation = _ended(confirmation, lambda: client.confirmation(study))
    if as_json:
        echo_json(confirmation)
    else:
        click.echo("\n".join(confirmation_lines(confirmation)))


@click.command(name="final-test")
@click.argument("study")
@click.option("--trial", type=click.IntRange(min=0), help="The trial to test; default: the best confirmed one.")
@wait_option
@server_option
@json_option
def final_test(study: str, trial: int | None, wait: bool, server: str, as_json: bool) -> None:
    """Train the pick on training and validation data together and open the test set, once.

    Asked again, it says what came out.
    """
    client = connect(server)
    tested = client.final_test(study, trial)
    if wait:
        tested = _ended(tested, lambda: client.final_test_result(study))
    if as_json:
        echo_json(tested)
    else:
        click.echo(final_test_line(tested))
    if tested.status in ENDED_WITHOUT:
        said = tested.failure.message if tested.failure else "The final test was cancelled."
        raise click.ClickException(f"{said} To try again with the same seed, retry trial {tested.number}.")


def _ended(seen: Standing, look: Callable[[], Standing]) -> Standing:
    while seen.status in ONGOING:
        time.sleep(LOOK_SECONDS)
        seen = look()
    return seen
