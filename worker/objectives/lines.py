"""What a command says on its standard output: epochs, chatter, and at the end its result."""

import json
from collections.abc import Callable, Mapping

from worker.objectives.results import value_of
from worker.outcome import Unusable, Value

WAY_OUT = (
    "where SHIBORI_PURPOSE is final_test, train on training and validation data together, print the value on test data "
    'as {"value": 0.83, "samples": 1000, "purpose": "final_test"}, and retry this trial.'
)


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
    """Reports the epochs among the lines and keeps the last result; other lines are chatter.

    The result of a final test must say that it is one, since a command may not know of purposes.
    """

    def __init__(self, report: Callable[[Mapping[str, object]], None], *, final_test: bool = False) -> None:
        self._report = report
        self._final_test = final_test
        self._result: object = None
        self._said_purpose: object = None

    def take(self, line: str) -> None:
        said = _read(line)
        if isinstance(said, dict) and "epoch" in said:
            self._report(said)
        elif isinstance(said, dict) and "value" in said:
            self._result, self._said_purpose = (said["value"], said.get("samples")), said.get("purpose")
        elif isinstance(said, int | float) and not isinstance(said, bool):
            self._result, self._said_purpose = said, None

    def value(self) -> Value:
        if self._result is None:
            raise Unusable('The command printed no result; its last line must be as {"value": 0.83} or a number.')
        if self._final_test and self._said_purpose != "final_test":
            raise Unusable(f"The command does no final test: {WAY_OUT}")
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
