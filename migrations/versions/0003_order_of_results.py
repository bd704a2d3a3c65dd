"""In which order results came in, so that what a suggestion knew can be read again."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# What was imported or has lost its event counts as known from the start.
_READ_FROM_EVENTS = sa.text(
    "UPDATE trials SET finished_event = COALESCE((SELECT MAX(events.sequence) FROM events "
    "WHERE events.study_id = trials.study_id AND events.trial = trials.number AND events.kind = 'finished'), 0) "
    "WHERE status NOT IN ('waiting', 'running')"
)


def upgrade() -> None:
    with op.batch_alter_table("trials") as batch_op:
        batch_op.add_column(sa.Column("finished_event", sa.BigInteger(), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_trials_study_id_purpose_finished_event_number"),
            ["study_id", "purpose", "finished_event", "number"],
        )
    op.execute(_READ_FROM_EVENTS)


def downgrade() -> None:
    with op.batch_alter_table("trials") as batch_op:
        batch_op.drop_index(batch_op.f("ix_trials_study_id_purpose_finished_event_number"))
        batch_op.drop_column("finished_event")
