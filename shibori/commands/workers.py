"""`shibori workers`: lists those who ask for trials, and lets one go on that was paused."""

import click

from service.protocol import WorkerView
from shibori.commands.options import connect, echo_json, json_option, server_option, table

HEADINGS = ("NAME", "RUNNING", "COMPLETED", "FAILED", "LAST SEEN", "PAUSED")


@click.group()
def command() -> None:
    """List the workers, and let one go on that was paused."""


@command.command(name="list")
@server_option
@json_option
def list_workers(server: str, as_json: bool) -> None:
    """List the workers."""
    workers = connect(server).workers().items
    if as_json:
        echo_json(workers)
    else:
        table([HEADINGS, *(_row(worker) for worker in workers)])


@command.command()
@click.argument("name")
@server_option
@json_option
def release(name: str, server: str, as_json: bool) -> None:
    """Let the worker NAME claim again that was paused since its trials failed."""
    released = connect(server).release_worker(name)
    if as_json:
        echo_json(released)
    else:
        click.echo(f"{released.name} may claim again.", err=True)


def _row(worker: WorkerView) -> tuple[str, ...]:
    counts = (str(worker.running), str(worker.completed), str(worker.failed))
    return (worker.name, *counts, f"{worker.last_seen_at:%Y-%m-%d %H:%M:%S}", worker.paused or "-")
