"""Runs one server on a socket that listens already."""

import logging
import socket
import sys
from types import FrameType

from service.settings import Settings

KEEP_ALIVE_SECONDS = 75
GRACE_SECONDS = 3


def log_to_stderr() -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")


def serve(settings: Settings, listening: socket.socket) -> None:
    """Serve until a signal ends it."""
    # Here, so that a parent which only starts servers does not load what they need.
    import uvicorn

    from service.app import create_app

    app = create_app(settings)

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
