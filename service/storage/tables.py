"""The tables, and the types in which they keep times and enums."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from service.domain.status import AttemptEnd, FailureReason, Purpose, StudyStatus, TrialStatus
from service.domain.trial import Origin


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in UTC on both sides; SQLite has no zones, so there it is a text without one."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return value and value.astimezone(UTC)

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        return _written if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        return _read if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _written(time: datetime | None) -> str | None:
    """As SQLAlchemy writes it for SQLite, in fewer steps."""
    return None if time is None else time.astimezone(UTC).isoformat(" ", "microseconds").removesuffix(_OF_UTC)


def _read(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text + _OF_UTC)


_OF_UTC = "+00:00"
VERSION_TABLE = "shibori_schema_version"
MAY_GIVE = "NOT idle AND status IN ('running', 'completed')"
"""Which studies a claim looks into; SQLite uses an index of some rows only where a query says the same words."""

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only in a column of type INTEGER.
RowId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _one_of(column: str, values: type[StrEnum]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value.value}'" for value in values)
    # Quoted, since one of the columns has the name of a keyword.
    return sa.CheckConstraint(f'"{column}" IN ({listed})', name=column)


def _partial(*columns: str, where: str) -> sa.Index:
    """An index of some rows only: the others cost it nothing."""
    return sa.Index(None, *columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


studies = sa.Table(
    "studies",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("name", sa.String(128), nullable=False, unique=True),
    sa.Column("objective", sa.String(128), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("spec", sa.Text, nullable=False),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("next_number", sa.BigInteger, nullable=False),
    sa.Column("budgeted", sa.BigInteger, nullable=False),
    sa.Column("epochs", sa.BigInteger, nullable=False),
    sa.Column("last_event", sa.BigInteger, nullable=False),
    # It has nothing to give to any worker; whatever changes the row looks anew.
    sa.Column("idle", sa.Boolean, nullable=False),
    sa.Column("ended_by", sa.String(16)),
    sa.Column("ends_at", UtcDateTime),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("started_at", UtcDateTime),
    sa.Column("finished_at", UtcDateTime),
    # Since then nobody sees it, and its rows are removed.
    sa.Column("deleted_at", UtcDateTime),
    _one_of("status", StudyStatus),
    sa.Index(None, "created_at", "id"),
    sa.Index(None, "status", "created_at", "id"),
    _partial("objective", "created_at", "id", where=MAY_GIVE),
    _partial("status", "ends_at", where="ends_at IS NOT NULL"),
    _partial("deleted_at", where="deleted_at IS NOT NULL"),
)

study_tags = sa.Table(
    "study_tags",
    metadata,
    sa.Column("study_id", sa.ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("tag", sa.String(128), primary_key=True),
    sa.Index(None, "tag", "study_id"),
)

trial_counts = sa.Table(
    "trial_counts",
    metadata,
    sa.Column("study_id", sa.ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("purpose", sa.String(16), primary_key=True),
    sa.Column("status", sa.String(16), primary_key=True),
    sa.Column("trials", sa.BigInteger, nullable=False),
    sa.CheckConstraint("trials >= 0", name="trials"),
)

rounds = sa.Table(
    "rounds",
    metadata,
    sa.Column("study_id", sa.ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("parent", sa.Integer),
    sa.Column("ranges", sa.Text, nullable=False),
    sa.Column("origin", sa.String(128), nullable=False),
    sa.Column("evidence", sa.JSON(none_as_null=True)),
    sa.Column("planned", sa.BigInteger, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("finished", sa.BigInteger, nullable=False),
    sa.Column("opened_at", UtcDateTime, nullable=False),
)

trials = sa.Table(
    "trials",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("study_id", sa.ForeignKey("studies.id", ondelete="CASCADE"), nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("purpose", sa.String(16), nullable=False),
    sa.Column("origin", sa.String(16), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("params", sa.JSON, nullable=False),
    sa.Column("point", sa.String(32), nullable=False),
    sa.Column("value", sa.Float(53)),
    sa.Column("samples", sa.BigInteger),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("seed", sa.BigInteger, nullable=False),
    sa.Column("provenance", sa.JSON(none_as_null=True)),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("attempts_allowed", sa.Integer, nullable=False),
    sa.Column("leases", sa.Integer, nullable=False),
    sa.Column("lease_token", sa.String(64)),
    sa.Column("lease_expires_at", UtcDateTime),
    sa.Column("claim_request", sa.String(32)),
    sa.Column("worker", sa.String(256)),
    sa.Column("stale", sa.Boolean, nullable=False),
    sa.Column("source", sa.BigInteger),
    sa.Column("split", sa.BigInteger),
    sa.Column("stop_reason", sa.Text),
    sa.Column("failure_reason", sa.String(16)),
    sa.Column("failure_message", sa.Text),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("started_at", UtcDateTime),
    sa.Column("finished_at", UtcDateTime),
    sa.Column("finished_event", sa.BigInteger),
    sa.UniqueConstraint("study_id", "number"),
    _one_of("status", TrialStatus),
    _one_of("purpose", Purpose),
    _one_of("origin", Origin),
    _one_of("failure_reason", FailureReason),
    sa.CheckConstraint("(status = 'running') = (lease_token IS NOT NULL)", name="lease"),
    sa.CheckConstraint("status != 'completed' OR value IS NOT NULL", name="completed_has_value"),
    sa.Index(None, "study_id", "purpose", "status", "number"),
    sa.Index(None, "study_id", "purpose", "round", "status", "number"),
    sa.Index(None, "study_id", "point"),
    _partial("study_id", "purpose", "status", "value", "number", where="value IS NOT NULL"),
    _partial("study_id", "purpose", "round", "status", "value", "number", where="value IS NOT NULL"),
    _partial("study_id", "purpose", "finished_event", "number", where="finished_event IS NOT NULL"),
    _partial("study_id", "lease_expires_at", where="lease_expires_at IS NOT NULL"),
    _partial("claim_request", where="claim_request IS NOT NULL"),
    _partial("worker", where="lease_token IS NOT NULL"),
)

attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("trial_id", sa.ForeignKey("trials.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("lease", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("token", sa.String(64), nullable=False),
    sa.Column("worker", sa.String(256), nullable=False),
    sa.Column("last_epoch", sa.BigInteger),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("end", sa.String(16)),
    sa.Column("message", sa.Text),
    _one_of("end", AttemptEnd),
)

curves = sa.Table(
    "curves",
    metadata,
    sa.Column("trial_id", sa.ForeignKey("trials.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("lease", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("first_epoch", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("epochs", sa.JSON, nullable=False),
)

standings = sa.Table(
    "standings",
    metadata,
    sa.Column("study_id", sa.ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("epoch", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("bracket", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("trial_id", sa.ForeignKey("trials.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("value", sa.Float(53), nullable=False),
    sa.Index(None, "trial_id"),
)

weights = sa.Table(
    "weights",
    metadata,
    sa.Column("trial_id", sa.ForeignKey("trials.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("study_id", sa.ForeignKey("studies.id", ondelete="CASCADE"), nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Index(None, "study_id"),
)

final_tests = sa.Table(
    "final_tests",
    metadata,
    # One a study, whoever asks at the same time.
    sa.Column("study_id", sa.ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("trial_id", sa.ForeignKey("trials.id", ondelete="CASCADE"), nullable=False, unique=True),
    sa.Column("opened_at", UtcDateTime),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("study_id", sa.ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("trial", sa.BigInteger),
    sa.Column("round", sa.Integer),
    sa.Column("at", UtcDateTime, nullable=False),
)

workers = sa.Table(
    "workers",
    metadata,
    sa.Column("name", sa.String(256), primary_key=True),
    sa.Column("objectives", sa.JSON, nullable=False),
    sa.Column("purposes", sa.JSON, nullable=False),
    sa.Column("study", sa.String(128)),
    sa.Column("completed", sa.BigInteger, nullable=False),
    sa.Column("failed", sa.BigInteger, nullable=False),
    sa.Column("first_seen_at", UtcDateTime, nullable=False),
    sa.Column("last_seen_at", UtcDateTime, nullable=False),
    sa.Column("failures_in_a_row", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("failing_since", UtcDateTime),
    sa.Column("failing_objective", sa.String(128)),
    sa.Column("completed_objective", sa.String(128)),
    sa.Column("completed_at", UtcDateTime),
    sa.Column("paused_at", UtcDateTime),
    sa.Column("paused_reason", sa.Text),
)

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("key", sa.String(256), primary_key=True),
    sa.Column("fingerprint", sa.String(32), nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("location", sa.Text),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Index(None, "created_at"),
)
