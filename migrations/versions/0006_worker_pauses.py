"""How a worker's trials ended of late, and why it is paused."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("workers") as batch_op:
        batch_op.add_column(sa.Column("failures_in_a_row", sa.BigInteger(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("failing_objective", sa.String(length=128), nullable=True))
        batch_op.add_column(sa.Column("completed_objective", sa.String(length=128), nullable=True))
        batch_op.add_column(sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("paused_reason", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("workers") as batch_op:
        batch_op.drop_column("paused_reason")
        batch_op.drop_column("paused_at")
        batch_op.drop_column("completed_at")
        batch_op.drop_column("completed_objective")
        batch_op.drop_column("failing_objective")
        batch_op.drop_column("failing_since")
        batch_op.drop_column("failures_in_a_row")
