"""What is known of the server itself: its workers, its parts, its errors."""

from datetime import datetime
from typing import Any

from service.protocol.base import Wire


class WorkerView(Wire):
    name: str
    objectives: list[str]
    running: int
    completed: int
    failed: int
    first_seen_at: datetime
    last_seen_at: datetime
    failures_in_a_row: int = 0
    paused_at: datetime | None = None
    paused: str | None = None
    """Why it is given no trials."""


class WorkerList(Wire):
    items: list[WorkerView]
    next_cursor: str | None = None


class Plugin(Wire):
    """One algorithm, policy, rule or objective, with the JSON Schema of its settings."""

    name: str
    description: str
    settings: dict[str, Any]


class Algorithms(Wire):
    search: list[Plugin]
    narrowing: list[Plugin]
    pruning: list[Plugin]


class ObjectiveView(Plugin):
    metrics: list[str]


class Objectives(Wire):
    items: list[ObjectiveView]


class FieldFault(Wire):
    field: str
    message: str


class Problem(Wire):
    """An error as RFC 9457 has it, with the fields that are wrong and the next step in `detail`."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None
    field: str | None = None
    errors: list[FieldFault] = []


class Check(Wire):
    """One of the things that a server needs; `detail` says what is wrong with it."""

    name: str
    ready: bool
    detail: str | None


class Readiness(Wire):
    status: str
    checks: list[Check]


class Version(Wire):
    version: str
    python: str
    database: str
