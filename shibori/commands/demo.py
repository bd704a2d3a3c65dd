"""`shibori demo`: a whole search, from nothing to a figure."""

import signal
from pathlib import Path

import click

from shibori.commands.worker import cores


@click.command()
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, writable=True, path_type=Path),
    default=Path("demo"),
    show_default=True,
    help="Where the database, the logs and the figure go.",
)
@click.option("--port", type=click.IntRange(1, 65_535), help="The server's port; default: a free one.")
@click.option("--processes", type=click.IntRange(min=1), help="Worker processes; default: one a core.")
@click.option("--trials", type=click.IntRange(min=1), default=100, show_default=True, help="Trials of the first round.")
@click.option("--more", type=click.IntRange(min=1), default=50, show_default=True, help="Trials of the second round.")
def command(folder: Path, port: int | None, processes: int | None, trials: int, more: int) -> None:
    """Search learning rate and weight decay of a deep net on 500 handwritten digits.

    Starts a server and workers and tells a whole search: random trials, what they say of each
    range, a Bayesian round, the best confirmed with fresh seeds, the test set opened once, and the
    classic procedure beside it. Stops all that it started.
    """
    from shibori.demo.processes import ProcessEnded, free_port
    from shibori.demo.run import Plan, run
    from shibori.demo.story import Unfinished

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run(Plan(folder, port or free_port(), processes or cores(), trials, more))
    except (ProcessEnded, Unfinished) as error:
        raise click.ClickException(str(error)) from error
