"""Stands between a server and its database, and loses what a test wants lost."""

import selectors
import socket
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

SOCKET = ".s.PGSQL.5432"
Loss = Literal["before", "after"]


class Proxy:
    """Hands bytes on between a folder of its own and the folder where the database listens."""

    def __init__(self, database: Path) -> None:
        self._database = database / SOCKET
        self._folder = tempfile.TemporaryDirectory(prefix="shibori-proxy-")
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(f"{self.folder}/{SOCKET}")
        self._listening.listen()
        self._flows, self._closed = threading.Event(), False
        self._flows.set()
        self._loss: Loss | None = None
        self._writing: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def folder(self) -> str:
        return self._folder.name

    def freeze(self) -> None:
        """Hand nothing on, as a network that is cut in two."""
        self._flows.clear()

    def thaw(self) -> None:
        self._flows.set()

    def lose_commit(self, when: Loss) -> None:
        """Cut the connection at the next commit of a row, before the database has it or after."""
        self._loss = when

    def close(self) -> None:
        self._closed = True
        self._flows.set()
        with socket.socket(socket.AF_UNIX) as last:
            last.connect(f"{self.folder}/{SOCKET}")
        for thread in self._threads:
            thread.join()
        self._listening.close()
        self._folder.cleanup()

    def _accept(self) -> None:
        while True:
            client, _ = self._listening.accept()
            if self._closed:
                return client.close()
            thread = threading.Thread(target=self._join, args=(client,))
            self._threads.append(thread)
            thread.start()

    def _join(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server, selectors.DefaultSelector() as selector:
            server.connect(str(self._database))
            selector.register(client, selectors.EVENT_READ, lambda: self._from_client(client, server))
            selector.register(server, selectors.EVENT_READ, lambda: _hand_on(server, client))
            goes_on = True
            while goes_on and not self._closed:
                ready: list[Callable[[], bool]] = [key.data for key, _ in selector.select(0.05)]
                self._flows.wait()
                with suppress(BrokenPipeError, ConnectionResetError):
                    goes_on = all(one() for one in ready)
                    continue
                goes_on = False

    def _from_client(self, client: socket.socket, server: socket.socket) -> bool:
        said = client.recv(65_536)
        if b"INSERT" in said:
            self._writing.add(client)
        if b"COMMIT" not in said or self._loss is None or client not in self._writing:
            server.sendall(said)
            return bool(said)
        if self._loss == "after":
            server.sendall(said)
            server.recv(65_536)
        self._loss = None
        return False


def _hand_on(here: socket.socket, there: socket.socket) -> bool:
    said = here.recv(65_536)
    there.sendall(said)
    return bool(said)
