"""Stands before a server and holds back what it is told to, so that a test decides what comes first."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from e2e_processes import PATIENCE_SECONDS
from urllib3 import PoolManager, Timeout

ENDS = ("complete", "fail", "release")


class Front(ThreadingHTTPServer):
    """Hands every request on, but the end of a trial only once `open` is set."""

    daemon_threads = True

    def __init__(self, server: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.server, self.url = server, f"http://127.0.0.1:{self.server_port}"
        self.pool = PoolManager(retries=False, timeout=Timeout(PATIENCE_SECONDS))
        self.ends: list[str] = []
        """The last words of the paths of what came to end a trial."""
        self.open = threading.Event()
        self.second = threading.Event()
        """Set when another end comes."""

    def hold(self, end: str) -> None:
        self.ends.append(end)
        if len(self.ends) > 1:
            self.second.set()
        self.open.wait(PATIENCE_SECONDS)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Front

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if (last := self.path.rpartition("/")[2]) in ENDS:
            self.server.hold(last)
        headers = {"Content-Type": self.headers["Content-Type"]}
        answer = self.server.pool.request("POST", self.server.server + self.path, body=body, headers=headers)
        # Whoever asked may have ended meanwhile.
        with suppress(ConnectionError):
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer.data)))
            self.end_headers()
            self.wfile.write(answer.data)

    def log_message(self, *_: object) -> None:
        """Silent: the server behind it has a log."""


@contextmanager
def front_of(server: str) -> Iterator[Front]:
    """A front before the server at an address."""
    with Front(server) as front:
        thread = threading.Thread(target=front.serve_forever, daemon=True)
        thread.start()
        try:
            yield front
        finally:
            front.open.set()
            front.shutdown()
            thread.join()
