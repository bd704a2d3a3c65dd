"""The calls about the server itself: who works for it, what it can do, whether it is ready."""

from urllib.parse import quote

from client.errors import ApiError
from client.transport import Request, Transport
from service.protocol import Algorithms, Objectives, Version, WorkerList, WorkerView


class ServerCalls:
    _transport: Transport

    def workers(self) -> WorkerList:
        """All of them, asked for page by page."""
        page = self._transport.get("/workers", WorkerList)
        items = list(page.items)
        while page.next_cursor is not None:
            page = self._transport.get("/workers", WorkerList, cursor=page.next_cursor)
            items += page.items
        return WorkerList(items=items)

    def release_worker(self, name: str) -> WorkerView:
        """Lets a worker claim again that was paused since its trials failed."""
        return self._transport.post(f"/workers/{quote(name, safe='')}/release", WorkerView)

    def algorithms(self) -> Algorithms:
        return self._transport.get("/algorithms", Algorithms)

    def objectives(self) -> Objectives:
        return self._transport.get("/objectives", Objectives)

    def version(self) -> Version:
        return self._transport.root("/version", Version)

    def ready(self) -> bool:
        """Whether the server can do its work."""
        try:
            self._transport.send(Request("GET", "/readyz"))
        except ApiError:
            return False
        return True
