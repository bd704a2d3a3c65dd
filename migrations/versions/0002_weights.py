"""What the best trial of a study has learned."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "weights",
        sa.Column("trial_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["trial_id"], ["trials.id"], name=op.f("fk_weights_trial_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("trial_id", name=op.f("pk_weights")),
    )


def downgrade() -> None:
    op.drop_table("weights")
