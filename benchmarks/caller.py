"""A client that costs the cores which it shares with the server as little as it can, and what its answers took."""

import asyncio
import json
from collections.abc import Sequence

API = "/api/v1"


class Caller:
    """One kept connection over a socket of its own, which asks one thing after another."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def connect(self) -> "Caller":
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def ask(self, method: str, path: str, document: object = None) -> bytes:
        """The body of the answer; any but a 2xx is an error."""
        body = b"" if document is None else json.dumps(document).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        self._writer.write(head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        start = answer.index(b"content-length:") + len(b"content-length:")
        content = await self._reader.readexactly(int(answer[start : answer.index(b"\r\n", start)]))
        if answer[9:10] != b"2":
            raise RuntimeError(f"{path}: {answer[9:12].decode()} {content.decode()}")
        return content


def milliseconds(seconds: Sequence[float], share: float) -> float:
    """What this share of them is not above."""
    ordered = sorted(seconds)
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]
