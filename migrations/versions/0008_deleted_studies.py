"""Studies that are deleted, whose rows are removed little by little.

Taken back while that goes on, it leaves such a study there again, stopped, to be deleted once more.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_DELETED = sa.text("deleted_at IS NOT NULL")


def upgrade() -> None:
    op.add_column("studies", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_studies_deleted_at", "studies", ["deleted_at"], sqlite_where=_DELETED, postgresql_where=_DELETED
    )


def downgrade() -> None:
    op.drop_index("ix_studies_deleted_at", "studies")
    with op.batch_alter_table("studies") as batch_op:
        batch_op.drop_column("deleted_at")
