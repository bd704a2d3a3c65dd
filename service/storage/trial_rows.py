"""A trial as it stands in the tables: the query that every reading of trials begins with."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from service.domain.status import FailureReason, Purpose, TrialStatus
from service.domain.trial import Observation, Origin, Trial
from service.storage.tables import studies, trials

TRIALS = sa.select(
    trials.c.id,
    trials.c.study_id,
    studies.c.name.label("study_name"),
    trials.c.number,
    trials.c.status,
    trials.c.purpose,
    trials.c.params,
    trials.c.value,
    trials.c.samples,
    trials.c.round,
    trials.c.attempt,
    trials.c.attempts_allowed,
    trials.c.leases,
    trials.c.seed,
    trials.c.origin,
    trials.c.worker,
    trials.c.failure_reason,
    trials.c.failure_message,
    trials.c.provenance,
    trials.c.created_at,
    trials.c.started_at,
    trials.c.finished_at,
    trials.c.finished_event,
    trials.c.lease_token,
    trials.c.lease_expires_at,
    trials.c.stop_reason,
    trials.c.stale,
    trials.c.source,
    trials.c.split,
).join_from(trials, studies, trials.c.study_id == studies.c.id)

OBSERVED = sa.select(
    trials.c.number, trials.c.params, trials.c.status, trials.c.value, trials.c.samples, trials.c.round
)


def trial_of(row: Mapping[Any, Any]) -> Trial:
    """The trial in a row of `TRIALS`."""
    fields = dict(row)
    reason = fields.pop("failure_reason")
    return Trial(
        status=TrialStatus(fields.pop("status")),
        purpose=Purpose(fields.pop("purpose")),
        origin=Origin(fields.pop("origin")),
        failure_reason=None if reason is None else FailureReason(reason),
        **fields,
    )


def observation_of(row: Mapping[Any, Any]) -> Observation:
    """What a row of `OBSERVED` has shown."""
    return Observation(**{**row, "status": TrialStatus(row["status"])})
