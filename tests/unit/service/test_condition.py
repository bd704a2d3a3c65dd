"""What stands in the way of a database is told apart from other errors, and said once."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from service.storage.condition import Condition, StorageUnavailable, cause_of


class SqliteError(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(f"code {code}")
        self.sqlite_errorcode = code


class PostgresqlError(Exception):
    def __init__(self, state: str | None) -> None:
        super().__init__(f"state {state}")
        self.sqlstate = state


def said(origin: Exception, *, lost: bool = False) -> sa.exc.DBAPIError:
    return sa.exc.DBAPIError("SELECT 1", {}, origin, connection_invalidated=lost)


FULL, FLUSH_FAILED, READ_ONLY, CONSTRAINT = 13, 1034, 8, 19


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (said(SqliteError(FULL)), "the disk is full"),
        (said(SqliteError(FLUSH_FAILED)), "the disk reports an error"),
        (SqliteError(FULL), "the disk is full"),
        (said(SqliteError(CONSTRAINT)), None),
        (said(PostgresqlError("53100")), "the disk of PostgreSQL is full"),
        (said(PostgresqlError("53300")), "PostgreSQL has run out of connections, memory or disk"),
        (said(PostgresqlError("57P01")), "PostgreSQL is shutting down or starting up"),
        (said(PostgresqlError(None), lost=True), "the connection to the database is lost"),
        (said(PostgresqlError("23505")), None),
        (sa.exc.TimeoutError(), "all connections to the database are in use"),
        (ValueError("no"), None),
    ],
)
def test_a_cause_is_found_by_the_code_of_the_engine(error: Exception, cause: str | None) -> None:
    assert cause_of(error) == cause


def test_a_cause_is_found_behind_what_it_led_to() -> None:
    first, later = said(SqliteError(FULL)), said(SqliteError(1))
    later.__context__ = first
    assert cause_of(later) == "the disk is full"


@pytest.mark.parametrize("origin", [SqliteError(READ_ONLY), PostgresqlError("25006")])
def test_to_write_while_reading_is_a_fault_of_its_own(origin: Exception) -> None:
    assert cause_of(said(origin)) is not None
    assert cause_of(said(origin), reading=True) is None


def test_a_cause_is_said_once_a_minute_and_its_end_once(caplog: pytest.LogCaptureFixture) -> None:
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    condition = Condition(lambda: now[0])
    caplog.set_level(logging.WARNING)

    def fail(code: int) -> None:
        with pytest.raises(StorageUnavailable), condition.writing():
            raise said(SqliteError(code))

    for code in (FULL, FULL, FLUSH_FAILED, FULL):
        fail(code)
    assert len(caplog.messages) == 2
    now[0] += timedelta(minutes=1)
    fail(FULL)
    assert len(caplog.messages) == 3
    for _ in range(2):
        with condition.writing():
            pass
    assert caplog.messages[3:] == ["the database can be written again"]
    assert condition.trouble is None


def test_other_errors_pass_as_they_are() -> None:
    condition = Condition(lambda: datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(ZeroDivisionError), condition.writing():
        raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError), condition.reading():
        raise ZeroDivisionError
    assert condition.trouble is None
