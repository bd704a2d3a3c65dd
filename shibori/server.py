"""Runs one server on a socket that listens already."""

import socket

from service.settings import Settings

KEEP_ALIVE_SECONDS = 75
GRACE_SECONDS = 8


def serve(settings: Settings, listening: socket.socket) -> None:
    """Serve until a signal ends it."""
    # Here, so that a parent which only starts servers does not load what they need.
    import uvicorn

    from service.app import create_app
    from shibori.orderly import OrderlyServer

    app = create_app(settings)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    OrderlyServer(config, app.state.notifier.close).run(sockets=[listening])
