"""What a command says on its standard output: epochs, chatter, and at the end its result."""

import json
from collections.abc import Callable, Mapping

from worker.objectives.results import value_of
from worker.outcome import Unusable, Value


class Splitter:
    """Cuts a stream of bytes into lines."""

    def __init__(self, take: Callable[[str], None]) -> None:
        self._take = take
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        """Takes a piece; an empty one is the end of the stream."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines if chunk else [self._rest]:
            self._take(line.decode(errors="replace").rstrip("\r"))


class Lines:
    """Reports the epochs among the lines and keeps the last result; other lines are chatter."""

    def __init__(self, report: Callable[[Mapping[str, object]], None]) -> None:
        self._report = report
        self._result: object = None

    def take(self, line: str) -> None:
        said = _read(line)
        if isinstance(said, dict) and "epoch" in said:
            self._report(said)
        elif isinstance(said, dict) and "value" in said:
            self._result = (said["value"], said.get("samples"))
        elif isinstance(said, int | float) and not isinstance(said, bool):
            self._result = said

    def value(self) -> Value:
        if self._result is None:
            raise Unusable('The command printed no result; its last line must be as {"value": 0.83} or a number.')
        return value_of(self._result)


def _read(line: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return _number(line)


def _number(line: str) -> float | None:
    try:
        return float(line)
    except ValueError:
        return None
