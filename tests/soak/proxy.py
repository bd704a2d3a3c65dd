"""Stands between workers and servers: loses answers, cuts connections, is slow, and writes down what was promised."""

import argparse
import asyncio
import json
import random
import signal
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from shibori.until import end_with_stdin
from tests.soak.messages import Message, read_message

PROMISES = ("complete", "fail", "release", "report")
DROPPED, CUT_BEFORE, CUT_WITHIN, DELAYED = 0.03, 0.01, 0.01, 0.1
LONGEST_DELAY_SECONDS = 7.0
ENDED = (asyncio.IncompleteReadError, ConnectionError, OSError)


@dataclass(slots=True)
class Proxy:
    """Every connection of a client has one of its own to one of the servers."""

    ports: list[int]
    record: TextIO
    chance: random.Random
    calm: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(*ENDED):
            there = await asyncio.open_connection("127.0.0.1", self.chance.choice(self.ports))
            try:
                while await self._pass_on(reader, writer, *there):
                    pass
            finally:
                there[1].close()
        writer.close()

    async def _pass_on(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        server_reader: asyncio.StreamReader,
        server_writer: asyncio.StreamWriter,
    ) -> bool:
        """One request and its answer; false where the connection is to be cut."""
        request = await read_message(reader)
        if self._happens(CUT_BEFORE):
            return self._note("cut before the request")
        server_writer.write(request.raw)
        answer = await _unless_gone(reader, read_message(server_reader))
        if answer is None:
            return False
        fate = self._fate()
        self._promise(request, answer, fate)
        return await self._hand_over(writer, answer, fate)

    def _fate(self) -> str:
        for fate, likelihood in (("dropped", DROPPED), ("cut within", CUT_WITHIN), ("delayed", DELAYED)):
            if self._happens(likelihood):
                return fate
        return "passed"

    async def _hand_over(self, writer: asyncio.StreamWriter, answer: Message, fate: str) -> bool:
        if fate == "dropped":
            return False
        if fate == "delayed":
            # Mostly short; a few are longer than a lease.
            await asyncio.sleep(LONGEST_DELAY_SECONDS * self.chance.random() ** 6)
        writer.write(answer.raw[: len(answer.raw) // 2] if fate == "cut within" else answer.raw)
        await writer.drain()
        return fate != "cut within"

    def _happens(self, likelihood: float) -> bool:
        return not self.calm.is_set() and self.chance.random() < likelihood

    def _note(self, fate: str) -> bool:
        self._write({"fate": fate})
        return False

    def _promise(self, request: Message, answer: Message, fate: str) -> None:
        """What the server has acknowledged is promised, whether or not the worker hears of it."""
        path, status = request.words[1], int(answer.words[1])
        parts = path.split("/")
        line: dict[str, object] = {"fate": fate, "status": status, "path": path}
        if len(parts) == 6 and parts[3] == "trials" and parts[5] in PROMISES:
            line |= {"trial": int(parts[4]), "what": parts[5], "said": json.loads(request.body)}
            line |= {"action": json.loads(answer.body).get("action") if status == 200 else None}
        self._write(line)

    def _write(self, line: dict[str, object]) -> None:
        self.record.write(json.dumps(line) + "\n")
        self.record.flush()


async def _unless_gone(reader: asyncio.StreamReader, answer: Coroutine[Any, Any, Message]) -> Message | None:
    """The answer, or None where the client hangs up first: nobody says anything more before he has his answer."""
    answering, going = asyncio.ensure_future(answer), asyncio.ensure_future(reader.read(1))
    try:
        await asyncio.wait({answering, going}, return_when=asyncio.FIRST_COMPLETED)
        return await answering if answering.done() else None
    finally:
        for task in (answering, going):
            task.cancel()
            with suppress(asyncio.CancelledError, *ENDED):
                await task


async def _run(port: int, proxy: Proxy) -> None:
    loop, ending = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, proxy.calm.set)
    loop.add_signal_handler(signal.SIGTERM, ending.set)
    async with await asyncio.start_server(proxy.serve, "127.0.0.1", port):
        await ending.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--server", type=int, action="append", required=True)
    parser.add_argument("--record", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    asked = parser.parse_args()
    end_with_stdin()
    with asked.record.open("a", encoding="utf-8") as record:
        asyncio.run(_run(asked.port, Proxy(asked.server, record, random.Random(asked.seed))))


if __name__ == "__main__":
    main()
