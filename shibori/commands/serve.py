"""`shibori serve`: runs the server."""

import logging
import signal
import socket
import sys
from types import FrameType

import click

from shibori.commands.db import database_errors, database_option
from shibori.until import end_with_stdin

KEEP_ALIVE_SECONDS = 75
GRACE_SECONDS = 3


@click.command()
@click.option(
    "--host", envvar="SHIBORI_HOST", default="127.0.0.1", show_default=True, show_envvar=True, help="Where to listen."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    envvar="SHIBORI_PORT",
    default=8000,
    show_default=True,
    show_envvar=True,
    help="The port to listen on.",
)
@database_option
@click.option("--until-stdin-closes", is_flag=True, hidden=True)
def command(host: str, port: int, database: str, until_stdin_closes: bool) -> None:
    """Run the server until it is interrupted. Its log goes to the standard error."""
    import uvicorn

    from service.app import create_app
    from service.settings import Settings
    from service.storage.migrations import prepare
    from service.storage.sole_use import sole_use

    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    # The server hands a signal on after an orderly end, and then it is no reason to fail.
    signal.signal(signal.SIGTERM, lambda *_: None)
    if until_stdin_closes:
        end_with_stdin()
    listening = _listening(host, port)
    with database_errors(), sole_use(database):
        prepare(database)
    app = create_app(Settings(database_url=database))

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            # A claim that waits for work would otherwise be cut off in its wait.
            app.state.notifier.close()
            super().handle_exit(sig, frame)

    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    Server(config).run(sockets=[listening])


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sends small answers at once; without, each one waits some 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}, port {port}: {(error.strerror or '').lower()}") from error
    return listening
