"""Looks through a whole database, beside its servers, for what should not be there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import sqlalchemy as sa

from service.storage import migrations
from service.storage.invariants import INVARIANTS

MOST_SHOWN = 5
SQLITE_CHECKS: Mapping[str, str] = {
    "the file is whole": "SELECT * FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
    "what refers to a row has it": "SELECT * FROM pragma_foreign_key_check",
}
Offender: TypeAlias = Mapping[str, str | int | float | None]


@dataclass(frozen=True, slots=True)
class Fault:
    """What does not hold, and the first rows that show it."""

    invariant: str
    offenders: list[Offender]
    more: bool


@dataclass(frozen=True, slots=True)
class Examination:
    schema: str
    checks: int
    faults: list[Fault]


def examine(url: str) -> Examination:
    """Check the schema, the file and every invariant as of one moment; raises SchemaMismatch for another schema."""
    migrations.check(url)
    with migrations.snapshot(url) as connection:
        return Examination(migrations.head(), len(_checks(connection)), faults_in(connection))


def faults_in(connection: sa.Connection) -> list[Fault]:
    """What does not hold, as a connection sees it."""
    found = {name: _offenders(connection, query) for name, query in _checks(connection).items()}
    return [Fault(name, rows[:MOST_SHOWN], more=len(rows) > MOST_SHOWN) for name, rows in found.items() if rows]


def _checks(connection: sa.Connection) -> Mapping[str, str]:
    return {**SQLITE_CHECKS, **INVARIANTS} if connection.dialect.name == "sqlite" else INVARIANTS


def _offenders(connection: sa.Connection, query: str) -> list[Offender]:
    try:
        rows = connection.execute(sa.text(query)).mappings().fetchmany(MOST_SHOWN + 1)
    except sa.exc.DatabaseError as error:
        if connection.dialect.name != "sqlite":
            raise
        # A damaged file shows it wherever it is read.
        return [{"error": str(error.orig)}]
    return [{name: _plain(value) for name, value in row.items()} for row in rows]


def _plain(value: object) -> str | int | float | None:
    return value if isinstance(value, str | int | float) or value is None else str(value)
