"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("key", sa.String(length=256), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_idempotency_keys")),
    )
    with op.batch_alter_table("idempotency_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_keys_created_at"), ["created_at"], unique=False)

    op.create_table(
        "studies",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("objective", sa.String(length=128), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("next_number", sa.BigInteger(), nullable=False),
        sa.Column("budgeted", sa.BigInteger(), nullable=False),
        sa.Column("epochs", sa.BigInteger(), nullable=False),
        sa.Column("last_event", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.String(length=16), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('running', 'paused', 'completed', 'stopped')", name=op.f("ck_studies_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_studies")),
        sa.UniqueConstraint("name", name=op.f("uq_studies_name")),
    )
    with op.batch_alter_table("studies", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_studies_created_at_id"), ["created_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_studies_ends_at"), ["ends_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_studies_status_objective"), ["status", "objective"], unique=False)

    op.create_table(
        "workers",
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("objectives", sa.JSON(), nullable=False),
        sa.Column("purposes", sa.JSON(), nullable=False),
        sa.Column("study", sa.String(length=128), nullable=True),
        sa.Column("completed", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.BigInteger(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_workers")),
    )
    op.create_table(
        "events",
        sa.Column("study_id", sa.String(length=32), nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("trial", sa.BigInteger(), nullable=True),
        sa.Column("round", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_events_study_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("study_id", "sequence", name=op.f("pk_events")),
    )
    op.create_table(
        "rounds",
        sa.Column("study_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("parent", sa.Integer(), nullable=True),
        sa.Column("ranges", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(length=128), nullable=False),
        sa.Column("evidence", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("planned", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("finished", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_rounds_study_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("study_id", "number", name=op.f("pk_rounds")),
    )
    op.create_table(
        "study_tags",
        sa.Column("study_id", sa.String(length=32), nullable=False),
        sa.Column("tag", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_study_tags_study_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("study_id", "tag", name=op.f("pk_study_tags")),
    )
    with op.batch_alter_table("study_tags", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_study_tags_tag_study_id"), ["tag", "study_id"], unique=False)

    op.create_table(
        "trial_counts",
        sa.Column("study_id", sa.String(length=32), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("trials", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("trials >= 0", name=op.f("ck_trial_counts_trials")),
        sa.ForeignKeyConstraint(
            ["study_id"], ["studies.id"], name=op.f("fk_trial_counts_study_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("study_id", "purpose", "status", name=op.f("pk_trial_counts")),
    )
    op.create_table(
        "trials",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("study_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("point", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Float(precision=53), nullable=True),
        sa.Column("samples", sa.BigInteger(), nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("provenance", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("attempts_allowed", sa.Integer(), nullable=False),
        sa.Column("leases", sa.Integer(), nullable=False),
        sa.Column("lease_token", sa.String(length=64), nullable=True),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claim_request", sa.String(length=32), nullable=True),
        sa.Column("worker", sa.String(length=256), nullable=True),
        sa.Column("stale", sa.Boolean(), nullable=False),
        sa.Column("stop_reason", sa.Text(), nullable=True),
        sa.Column("failure_reason", sa.String(length=16), nullable=True),
        sa.Column("failure_message", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(status = 'running') = (lease_token IS NOT NULL)", name=op.f("ck_trials_lease")),
        sa.CheckConstraint(
            "failure_reason IN ('error', 'diverged', 'lost', 'timeout')", name=op.f("ck_trials_failure_reason")
        ),
        sa.CheckConstraint("origin IN ('suggested', 'enqueued', 'imported')", name=op.f("ck_trials_origin")),
        sa.CheckConstraint("purpose IN ('search', 'confirmation', 'final_test')", name=op.f("ck_trials_purpose")),
        sa.CheckConstraint("status != 'completed' OR value IS NOT NULL", name=op.f("ck_trials_completed_has_value")),
        sa.CheckConstraint(
            "status IN ('waiting', 'running', 'completed', 'pruned', 'failed', 'cancelled')",
            name=op.f("ck_trials_status"),
        ),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_trials_study_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trials")),
        sa.UniqueConstraint("study_id", "number", name=op.f("uq_trials_study_id_number")),
    )
    with op.batch_alter_table("trials", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_trials_claim_request"), ["claim_request"], unique=False)
        batch_op.create_index(batch_op.f("ix_trials_lease_expires_at"), ["lease_expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_trials_study_id_point"), ["study_id", "point"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_trials_study_id_purpose_status_number"),
            ["study_id", "purpose", "status", "number"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_trials_study_id_purpose_status_value_number"),
            ["study_id", "purpose", "status", "value", "number"],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_trials_worker_status"), ["worker", "status"], unique=False)

    op.create_table(
        "attempts",
        sa.Column("trial_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lease", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("worker", sa.String(length=256), nullable=False),
        sa.Column("last_epoch", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end", sa.String(length=16), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "\"end\" IN ('completed', 'pruned', 'failed', 'cancelled', 'released', 'lost')",
            name=op.f("ck_attempts_end"),
        ),
        sa.ForeignKeyConstraint(["trial_id"], ["trials.id"], name=op.f("fk_attempts_trial_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("trial_id", "lease", name=op.f("pk_attempts")),
    )
    op.create_table(
        "curves",
        sa.Column("trial_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lease", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first_epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("epochs", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["trial_id"], ["trials.id"], name=op.f("fk_curves_trial_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("trial_id", "lease", "first_epoch", name=op.f("pk_curves")),
    )


def downgrade() -> None:
    op.drop_table("curves")
    op.drop_table("attempts")
    with op.batch_alter_table("trials", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_trials_worker_status"))
        batch_op.drop_index(batch_op.f("ix_trials_study_id_purpose_status_value_number"))
        batch_op.drop_index(batch_op.f("ix_trials_study_id_purpose_status_number"))
        batch_op.drop_index(batch_op.f("ix_trials_study_id_point"))
        batch_op.drop_index(batch_op.f("ix_trials_lease_expires_at"))
        batch_op.drop_index(batch_op.f("ix_trials_claim_request"))

    op.drop_table("trials")
    op.drop_table("trial_counts")
    with op.batch_alter_table("study_tags", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_study_tags_tag_study_id"))

    op.drop_table("study_tags")
    op.drop_table("rounds")
    op.drop_table("events")
    op.drop_table("workers")
    with op.batch_alter_table("studies", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_studies_status_objective"))
        batch_op.drop_index(batch_op.f("ix_studies_ends_at"))
        batch_op.drop_index(batch_op.f("ix_studies_created_at_id"))

    op.drop_table("studies")
    with op.batch_alter_table("idempotency_keys", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotency_keys_created_at"))

    op.drop_table("idempotency_keys")
