"""Writes the log, a line an event: JSON for machines, plain text for those who look on."""

import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from pythonjsonlogger.json import JsonFormatter

Format = Literal["json", "text"]
FIELDS = (
    "request_id",
    "method",
    "route",
    "status",
    "milliseconds",
    "study",
    "named",
    "trial",
    "number",
    "worker",
    "claimed_study",
    "claimed_trial",
)
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Of the request that is being answered, or that a unit of work is done for."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def write_log(stream: TextIO, form: Format | None, level: str) -> None:
    """Have everything that is logged in this process written to a stream: text to a terminal, JSON elsewhere."""
    handler = logging.StreamHandler(stream)
    form = form or ("text" if stream.isatty() else "json")
    handler.setFormatter(AsJson() if form == "json" else AsText())
    handler.addFilter(_of_request)
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)


class AsJson(JsonFormatter):
    """One JSON object a line, a traceback within it."""

    def __init__(self) -> None:
        super().__init__("%(levelname)s %(name)s %(message)s", rename_fields={"levelname": "level", "name": "logger"})

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        log_data["time"] = _time(record)
        super().add_fields(log_data, record, message_dict)
        # What uvicorn would show in colours on a terminal.
        log_data.pop("color_message", None)


class AsText(logging.Formatter):
    """Time, level, logger, message and fields; what comes from outside cannot begin a line of its own."""

    def format(self, record: logging.LogRecord) -> str:
        fields = [f"{name}={getattr(record, name)}" for name in FIELDS if getattr(record, name, None) is not None]
        said = " ".join([_time(record), record.levelname, record.name, record.getMessage(), *fields])
        trace = self.formatException(record.exc_info).splitlines() if record.exc_info else []
        return "\n    ".join(_CONTROL.sub(_escaped, line) for line in [said, *trace])


def _of_request(record: logging.LogRecord) -> bool:
    if (current := request_id.get()) is not None:
        record.request_id = current
    return True


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _escaped(found: re.Match[str]) -> str:
    return found.group().encode("unicode_escape").decode()
