"""The client: one method a call of the API."""

import os

from client.confirmation import ConfirmationCalls
from client.narrowing import NarrowingCalls
from client.retry import Retry
from client.server import ServerCalls
from client.studies import StudyCalls
from client.transport import Transport
from client.trials import TrialCalls
from client.work import WorkCalls

DEFAULT_URL = "http://127.0.0.1:8000"


def default_url() -> str:
    return os.environ.get("SHIBORI_SERVER_URL") or DEFAULT_URL


class Client(StudyCalls, TrialCalls, WorkCalls, NarrowingCalls, ConfirmationCalls, ServerCalls):
    """Talks to one server, over connections that it keeps and that threads may share.

    Raises `Unreachable` where there is no server, `NotFound`, `Refused`, `LeaseLost` and other
    `ApiError`s where it says no; each carries a sentence with the way out.
    """

    def __init__(self, url: str | None = None, *, retry: Retry | None = None) -> None:
        self._transport = Transport.to(url or default_url(), retry or Retry())

    @property
    def url(self) -> str:
        return self._transport.url

    def with_retry(self, retry: Retry) -> "Client":
        """The same server over the same connections, with another patience."""
        twin = Client.__new__(Client)
        twin._transport = self._transport.with_retry(retry)
        return twin

    def close(self) -> None:
        self._transport.pool.clear()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
