"""The log: one line an event in either form, with the fields of its request, and nothing that is a secret."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from service.logs import AsJson, AsText, _of_request, request_id

log = logging.getLogger("shibori.tested")
FORGED = "study\n2026-01-01T00:00:00.000Z INFO shibori forged\r\x1b[31m\u2028end"


@pytest.fixture
def written() -> Iterator[Callable[[logging.Formatter], io.StringIO]]:
    handlers: list[logging.Handler] = []

    def write(formatter: logging.Formatter) -> io.StringIO:
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        handler.setFormatter(formatter)
        handler.addFilter(_of_request)
        log.addHandler(handler)
        handlers.append(handler)
        return stream

    before = log.level
    log.setLevel(logging.INFO)
    yield write
    log.setLevel(before)
    for handler in handlers:
        log.removeHandler(handler)


def fail() -> None:
    raise ValueError(FORGED)


def test_json_has_the_time_in_utc_and_every_field(written: Any) -> None:
    stream = written(AsJson())
    token = request_id.set("r-1")
    log.info("answered %s", "it", extra={"route": "/x", "status": 200, "milliseconds": 1.5, "study": FORGED})
    request_id.reset(token)
    said = json.loads(stream.getvalue())
    assert datetime.fromisoformat(said.pop("time")).utcoffset() is not None
    assert said == {
        "level": "INFO",
        "logger": "shibori.tested",
        "message": "answered it",
        "route": "/x",
        "status": 200,
        "milliseconds": 1.5,
        "study": FORGED,
        "request_id": "r-1",
    }


def test_an_error_in_json_is_one_line_with_its_traceback(written: Any) -> None:
    stream = written(AsJson())
    try:
        fail()
    except ValueError:
        log.exception("it failed")
    (line,) = stream.getvalue().splitlines()
    assert "in fail" in json.loads(line)["exc_info"]


def test_nothing_from_outside_begins_a_line_of_text(written: Any) -> None:
    stream = written(AsText())
    log.info("a study named %s", FORGED, extra={"study": FORGED})
    try:
        fail()
    except ValueError:
        log.exception("it failed")
    lines = stream.getvalue().split("\n")[:-1]
    own = [line for line in lines if not line.startswith("    ")]
    assert [line.split()[1] for line in own] == ["INFO", "ERROR"]
    assert all(line.isprintable() for line in lines)
    assert "study=study\\n2026" in own[0]
    assert any("in fail" in line for line in lines)


def test_outside_of_a_request_there_is_no_id(written: Any) -> None:
    stream = written(AsText())
    log.info("begun")
    assert "request_id" not in stream.getvalue()
