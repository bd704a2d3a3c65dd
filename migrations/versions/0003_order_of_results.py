"""In which order results came in, so that what a suggestion knew can be read again."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_FINISHED = sa.text(
    "SELECT study_id, trial, MAX(sequence) AS finished_event FROM events "
    "WHERE kind = 'finished' AND trial IS NOT NULL GROUP BY study_id, trial"
)
_OF_ONE = sa.text(
    "UPDATE trials SET finished_event = :finished_event "
    "WHERE study_id = :study_id AND number = :trial AND status NOT IN ('waiting', 'running')"
)
# What was imported or has lost its event counts as known from the start.
_OF_OTHERS = sa.text(
    "UPDATE trials SET finished_event = 0 WHERE finished_event IS NULL AND status NOT IN ('waiting', 'running')"
)


def upgrade() -> None:
    with op.batch_alter_table("trials") as batch_op:
        batch_op.add_column(sa.Column("finished_event", sa.BigInteger(), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_trials_study_id_purpose_finished_event_number"),
            ["study_id", "purpose", "finished_event", "number"],
        )
    connection = op.get_bind()
    # One by one through an index: a join inside the update would look through all events for each trial.
    if finished := [dict(row) for row in connection.execute(_FINISHED).mappings()]:
        connection.execute(_OF_ONE, finished)
    connection.execute(_OF_OTHERS)


def downgrade() -> None:
    with op.batch_alter_table("trials") as batch_op:
        batch_op.drop_index(batch_op.f("ix_trials_study_id_purpose_finished_event_number"))
        batch_op.drop_column("finished_event")
