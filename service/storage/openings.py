"""Studies that may have something for claims, with the counts of all their trials."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from service.domain.status import UNFINISHED, Purpose, StudyStatus, TrialStatus
from service.domain.study import Study
from service.storage.studies import study_of
from service.storage.tables import MAY_GIVE, studies, trial_counts

Counts = Mapping[tuple[Purpose, TrialStatus], int]


@dataclass(frozen=True, slots=True)
class Candidate:
    study: Study
    counts: Counts

    @property
    def running(self) -> int:
        """How many of its trials run, whatever their purpose."""
        return sum(trials for (_, status), trials in self.counts.items() if status is TrialStatus.RUNNING)


class Openings:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def candidates(self, objectives: Collection[str]) -> list[Candidate]:
        """Studies with trials that wait, or that may still draw some, oldest first."""
        asked = {"objectives": list(objectives)}
        rows = self._connection.execute(_CANDIDATES, asked).mappings().all()
        counts = self._counts(asked)
        found = [(dict(row), counts[row["id"]]) for row in rows]
        return [Candidate(study_of(row, _of_search(counted)), counted) for row, counted in found]

    def _counts(self, asked: Mapping[str, list[str]]) -> Mapping[str, Counts]:
        found: dict[str, dict[tuple[Purpose, TrialStatus], int]] = defaultdict(dict)
        for row in self._connection.execute(_COUNTS, asked):
            found[row.study_id][Purpose(row.purpose), TrialStatus(row.status)] = row.trials
        return found


def _of_search(counts: Counts) -> Mapping[TrialStatus, int]:
    return {status: trials for (purpose, status), trials in counts.items() if purpose is Purpose.SEARCH}


_HAS_WAITING = sa.exists().where(
    trial_counts.c.study_id == studies.c.id,
    trial_counts.c.status == TrialStatus.WAITING,
    trial_counts.c.trials > 0,
)
_MAY_GIVE = (
    # In these words, since by them SQLite finds the index.
    sa.text(MAY_GIVE),
    studies.c.objective.in_(sa.bindparam("objectives", expanding=True)),
    sa.or_(
        sa.and_(studies.c.status == StudyStatus.RUNNING, sa.or_(studies.c.ended_by.is_(None), _HAS_WAITING)),
        sa.and_(studies.c.status == StudyStatus.COMPLETED, _HAS_WAITING),
    ),
)
# Statements that are asked again and again are built once: building one costs more than running it.
_CANDIDATES = sa.select(studies).where(*_MAY_GIVE).order_by(studies.c.created_at, studies.c.id)
_COUNTS = sa.select(
    trial_counts.c.study_id, trial_counts.c.purpose, trial_counts.c.status, trial_counts.c.trials
).where(
    trial_counts.c.study_id.in_(sa.select(studies.c.id).where(*_MAY_GIVE)),
    trial_counts.c.status.in_(UNFINISHED),
    trial_counts.c.trials > 0,
)
