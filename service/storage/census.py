"""How many there are of what, over all studies: what is asked when somebody looks at the whole server."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from service.domain.status import UNFINISHED, Purpose, StudyStatus, TrialStatus
from service.domain.trial import Origin
from service.storage.tables import studies, trial_counts, trials, workers

# Longer than a claim may wait, so that a worker which asks again and again is seen all the time.
IDLE_FOR = timedelta(seconds=60)
MOST_WAITING_LOOKED_AT = 1_000


@dataclass(frozen=True, slots=True)
class Census:
    studies: Mapping[str, int]
    trials: Mapping[str, int]
    suggestions: int
    """Suggestions that nobody has claimed yet, among so many trials that wait of each running study."""
    workers: Mapping[str, int]
    """`active` with a trial, `paused`, `idle` without a trial but seen of late, or `away`."""


def take_census(connection: sa.Connection, now: datetime) -> Census:
    return Census(
        studies=_counts(connection, _STUDIES),
        trials=_counts(connection, _TRIALS),
        suggestions=int(connection.scalar(_SUGGESTIONS) or 0),
        workers=_counts(connection, _WORKERS, recently=now - IDLE_FOR),
    )


def _counts(connection: sa.Connection, query: sa.Select[Any], **asked: object) -> Mapping[str, int]:
    return {row[0]: int(row[1]) for row in connection.execute(query, asked)}


_STUDIES = sa.select(studies.c.status, sa.func.count()).where(studies.c.deleted_at.is_(None)).group_by(studies.c.status)
_TRIALS = (
    sa.select(trial_counts.c.status, sa.func.sum(trial_counts.c.trials))
    .where(trial_counts.c.status.in_(UNFINISHED))
    .group_by(trial_counts.c.status)
)
# Study by study, since PostgreSQL would rather read all trials than look for those of many studies at once.
_WAITING = (
    sa.select(trials.c.origin, trials.c.leases)
    .where(
        trials.c.study_id == studies.c.id,
        trials.c.purpose == Purpose.SEARCH,
        trials.c.status == TrialStatus.WAITING,
    )
    .limit(MOST_WAITING_LOOKED_AT)
    .correlate(studies)
    .subquery()
)
_SUGGESTED = (
    sa.select(sa.func.count())
    .select_from(_WAITING)
    .where(_WAITING.c.origin == Origin.SUGGESTED, _WAITING.c.leases == 0)
    .scalar_subquery()
)
_SUGGESTIONS = sa.select(sa.func.sum(_SUGGESTED)).select_from(studies).where(studies.c.status == StudyStatus.RUNNING)
_RUNS = sa.exists().where(trials.c.worker == workers.c.name, trials.c.lease_token.is_not(None))
_STATES = sa.select(
    sa.case(
        (_RUNS, "active"),
        (workers.c.paused_at.is_not(None), "paused"),
        (workers.c.last_seen_at > sa.bindparam("recently", type_=workers.c.last_seen_at.type), "idle"),
        else_="away",
    ).label("state")
).subquery()
_WORKERS = sa.select(_STATES.c.state, sa.func.count()).group_by(_STATES.c.state)
