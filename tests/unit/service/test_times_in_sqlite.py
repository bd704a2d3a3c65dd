"""Times in SQLite are the texts that SQLAlchemy writes there, to the microsecond, in UTC."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from service.storage.tables import UtcDateTime

DIALECT = sqlite.dialect()
TIMES = [
    datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=UTC),
    datetime(2026, 2, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    datetime.min.replace(tzinfo=UTC),
    datetime.max.replace(tzinfo=UTC),
]


@pytest.mark.parametrize("time", TIMES)
def test_a_time_is_written_as_sqlalchemy_writes_it_and_read_as_it_was(time: datetime) -> None:
    write, read = UtcDateTime().bind_processor(DIALECT), UtcDateTime().result_processor(DIALECT, None)
    theirs = sa.DateTime().dialect_impl(DIALECT).bind_processor(DIALECT)
    assert write is not None
    assert read is not None
    assert theirs is not None
    text = write(time)
    assert text == theirs(time.astimezone(UTC).replace(tzinfo=None))
    assert read(text) == time
    assert read(text).tzinfo is UTC  # type: ignore[union-attr]


def test_no_time_is_no_text() -> None:
    write, read = UtcDateTime().bind_processor(DIALECT), UtcDateTime().result_processor(DIALECT, None)
    assert write is not None
    assert read is not None
    assert write(None) is None
    assert read(None) is None
