"""Indexes for what is asked of many trials and many studies, and which studies have nothing to give."""

from typing import TypeAlias

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_Index: TypeAlias = tuple[str, tuple[str, ...], str | None]

# The table, the columns, and which rows; all rows where nothing is said.
_ADDED: tuple[_Index, ...] = (
    ("studies", ("status", "created_at", "id"), None),
    ("studies", ("objective", "created_at", "id"), "NOT idle AND status IN ('running', 'completed')"),
    ("studies", ("status", "ends_at"), "ends_at IS NOT NULL"),
    ("trials", ("study_id", "purpose", "round", "status", "number"), None),
    ("trials", ("study_id", "purpose", "status", "value", "number"), "value IS NOT NULL"),
    ("trials", ("study_id", "purpose", "round", "status", "value", "number"), "value IS NOT NULL"),
    ("trials", ("study_id", "purpose", "finished_event", "number"), "finished_event IS NOT NULL"),
    ("trials", ("study_id", "lease_expires_at"), "lease_expires_at IS NOT NULL"),
    ("trials", ("claim_request",), "claim_request IS NOT NULL"),
    ("trials", ("worker",), "lease_token IS NOT NULL"),
    ("weights", ("study_id",), None),
)
_DROPPED: tuple[_Index, ...] = (
    ("studies", ("status", "objective"), None),
    ("studies", ("ends_at",), None),
    ("trials", ("study_id", "purpose", "status", "value", "number"), None),
    ("trials", ("study_id", "purpose", "finished_event", "number"), None),
    ("trials", ("lease_expires_at",), None),
    ("trials", ("claim_request",), None),
    ("trials", ("worker", "status"), None),
)
# The others are looked at by the first claim that comes.
_IDLE = sa.text(
    "UPDATE studies SET idle = :idle WHERE status = 'completed' AND NOT EXISTS (SELECT 1 FROM trial_counts "
    "WHERE study_id = studies.id AND purpose != 'search' AND status = 'waiting' AND trials > 0)"
)


def upgrade() -> None:
    for index in _DROPPED:
        _drop(index)
    op.add_column("studies", sa.Column("idle", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("studies") as batch_op:
        batch_op.alter_column("idle", server_default=None)
    op.get_bind().execute(_IDLE, {"idle": True})
    _add_study_of_weights()
    for index in _ADDED:
        _create(index)


def downgrade() -> None:
    for index in _ADDED:
        _drop(index)
    with op.batch_alter_table("weights") as batch_op:
        batch_op.drop_constraint("fk_weights_study_id", type_="foreignkey")
        batch_op.drop_column("study_id")
    with op.batch_alter_table("studies") as batch_op:
        batch_op.drop_column("idle")
    for index in _DROPPED:
        _create(index)


def _add_study_of_weights() -> None:
    op.add_column("weights", sa.Column("study_id", sa.String(32), nullable=True))
    op.execute("UPDATE weights SET study_id = (SELECT study_id FROM trials WHERE id = weights.trial_id)")
    with op.batch_alter_table("weights") as batch_op:
        batch_op.alter_column("study_id", existing_type=sa.String(32), nullable=False)
        batch_op.create_foreign_key("fk_weights_study_id", "studies", ["study_id"], ["id"], ondelete="CASCADE")


def _create(index: _Index) -> None:
    table, columns, rows = index
    where = None if rows is None else sa.text(rows)
    op.create_index(_name(index), table, list(columns), sqlite_where=where, postgresql_where=where)


def _drop(index: _Index) -> None:
    op.drop_index(_name(index), index[0])


def _name(index: _Index) -> str:
    table, columns, _ = index
    return f"ix_{table}_{'_'.join(columns)}"
