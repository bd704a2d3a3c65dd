"""Where runs stood at the epochs at which a rule of early stopping looks."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "standings",
        sa.Column("study_id", sa.String(length=32), nullable=False),
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("bracket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("trial_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("value", sa.Float(precision=53), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_standings_study_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["trial_id"], ["trials.id"], name=op.f("fk_standings_trial_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("study_id", "epoch", "bracket", "trial_id", name=op.f("pk_standings")),
    )
    with op.batch_alter_table("standings") as batch_op:
        batch_op.create_index(batch_op.f("ix_standings_trial_id"), ["trial_id"])


def downgrade() -> None:
    op.drop_table("standings")
