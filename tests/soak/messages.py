"""Requests and answers as bytes on a connection: just enough to know where one ends and what it says."""

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """The first line of a request or an answer, all of its bytes, and its body."""

    first_line: str
    raw: bytes
    body: bytes

    @property
    def words(self) -> list[str]:
        return self.first_line.split()


async def read_message(reader: asyncio.StreamReader) -> Message:
    """The next message with its body; raises IncompleteReadError when the connection ends before."""
    head = await reader.readuntil(b"\r\n\r\n")
    first_line, *fields = head.decode("latin-1").split("\r\n")
    lengths = [field.split(":")[1] for field in fields if field.lower().startswith("content-length:")]
    body = await reader.readexactly(int(lengths[0])) if lengths else b""
    return Message(first_line, head + body, body)
