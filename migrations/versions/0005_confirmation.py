"""What trials are trained again, on which split, and the final test of a study."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("trials", schema=None) as batch_op:
        batch_op.add_column(sa.Column("source", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("split", sa.BigInteger(), nullable=True))

    op.create_table(
        "final_tests",
        sa.Column("study_id", sa.String(length=32), nullable=False),
        sa.Column("trial_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_final_tests_study_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["trial_id"], ["trials.id"], name=op.f("fk_final_tests_trial_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("study_id", name=op.f("pk_final_tests")),
        sa.UniqueConstraint("trial_id", name=op.f("uq_final_tests_trial_id")),
    )


def downgrade() -> None:
    op.drop_table("final_tests")
    with op.batch_alter_table("trials", schema=None) as batch_op:
        batch_op.drop_column("split")
        batch_op.drop_column("source")
