"""What the statements sent to a database cost it: steps of SQLite's machine, or rows that PostgreSQL looks at."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import sqlalchemy as sa

from service.storage import prepared

STEPS_AT_ONCE = 100
EXPLAINED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
BACKGROUND = ("suggester", "sweeper", "remover")


@dataclass(slots=True)
class Sent:
    """A statement as it was sent, its plan, and the work that it was."""

    statement: str
    plan: list[str]
    work: int = 0

    def __str__(self) -> str:
        plan = "\n    ".join(self.plan)
        return f"{self.work:,} steps or rows\n  {self.statement}\n    {plan}"

    @property
    def scanned(self) -> list[str]:
        """Tables that are read from end to end."""
        return [line.split()[1] for line in self.plan if line.startswith(("SCAN", "Seq")) and "CONSTANT" not in line]


@contextmanager
def recorded() -> Iterator[list[Sent]]:
    """Every statement that is sent meanwhile, but for those of threads that work by themselves."""
    sent: list[Sent] = []

    def note(
        connection: sa.Connection, cursor: Any, statement: str, parameters: Any, _context: object, many: bool
    ) -> None:
        if threading.current_thread().name in BACKGROUND or not statement.startswith(EXPLAINED):
            return
        first = parameters[0] if many and isinstance(parameters, list) else parameters
        measure = _sqlite if connection.dialect.name == "sqlite" else _postgresql
        sent.append(measure(cursor.connection, statement, first))

    def note_prepared(connection: sa.Connection, text: str, values: Any) -> Any:
        driver = connection.connection.driver_connection
        note(connection, SimpleNamespace(connection=driver), text, values, None, False)
        return run(connection, text, values)

    run = prepared._execute
    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        with patch.object(prepared, "_execute", note_prepared):
            yield sent
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)


def _sqlite(connection: Any, statement: str, parameters: Any) -> Sent:
    rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
    sent = Sent(statement, [row[3] for row in rows])

    def count() -> int:
        sent.work += STEPS_AT_ONCE
        return 0

    # The rows are fetched after this; the next statement on the connection takes the counting over.
    connection.set_progress_handler(count, STEPS_AT_ONCE)
    return sent


def _postgresql(connection: Any, statement: str, parameters: Any) -> Sent:
    with connection.cursor() as cursor:
        cursor.execute("SAVEPOINT measured")
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) {statement}", parameters)
        (explained,) = cursor.fetchone()
        cursor.execute("ROLLBACK TO SAVEPOINT measured")
        cursor.execute("RELEASE SAVEPOINT measured")
    nodes = list(_nodes((json.loads(explained) if isinstance(explained, str) else explained)[0]["Plan"]))
    return Sent(statement, [_line(node) for node in nodes], sum(_rows(node) for node in nodes))


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for part in node.get("Plans", []):
        yield from _nodes(part)


def _line(node: dict[str, Any]) -> str:
    place = " ".join(str(node[key]) for key in ("Relation Name", "Index Name", "Index Cond", "Sort Key") if key in node)
    return f"{node['Node Type']} {place} ({_rows(node)} rows)"


def _rows(node: dict[str, Any]) -> int:
    removed = sum(node.get(key, 0) for key in ("Rows Removed by Filter", "Rows Removed by Index Recheck"))
    return int((node["Actual Rows"] + removed) * node["Actual Loops"])
