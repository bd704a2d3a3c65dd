"""All that a database holds of studies and trials, read at one moment, to be looked at and compared."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import sqlalchemy as sa

from service.domain.study import Spec
from service.storage.studies import spec_from_json
from service.storage.tables import attempts, curves, events, studies, trial_counts, trials, workers

Row: TypeAlias = sa.Row[Any]
Epochs: TypeAlias = list[dict[str, float]]


@dataclass(frozen=True)
class Picture:
    """Rows by what they belong to; those of a trial or a study in their order."""

    studies: Mapping[str, Row]
    trials: Mapping[int, Row]
    attempts: Mapping[int, Sequence[Row]]
    events: Mapping[str, Sequence[Row]]
    counts: Mapping[tuple[str, str, str], int]
    curves: Mapping[tuple[int, int], Epochs]
    """By trial and lease."""
    workers: Mapping[str, Row]

    @cached_property
    def by_study(self) -> Mapping[str, Sequence[Row]]:
        return _grouped(self.trials.values(), lambda trial: trial.study_id)

    def of(self, study_id: str) -> Sequence[Row]:
        """The trials of a study, by number."""
        return self.by_study.get(study_id, ())

    def spec(self, study_id: str) -> Spec:
        return spec_from_json(self.studies[study_id].spec)

    def attempt(self, trial_id: int, token: str) -> Row | None:
        """The attempt that was made under a token."""
        return next((one for one in self.attempts.get(trial_id, ()) if one.token == token), None)

    def holds(self, trial_id: int, token: str) -> bool:
        """Whether a token is that of the lease in force."""
        return trial_id in self.trials and self.trials[trial_id].lease_token == token

    def curve(self, trial_id: int, token: str) -> Epochs:
        """What was reported under a token."""
        made = self.attempt(trial_id, token)
        return [] if made is None else self.curves.get((trial_id, made.lease), [])


def take(connection: sa.Connection) -> Picture:
    """The picture of what one transaction sees."""

    def rows(query: sa.Select[Any]) -> Sequence[Row]:
        return connection.execute(query).all()

    reported: dict[tuple[int, int], Epochs] = defaultdict(list)
    for piece in rows(_CURVES):
        reported[piece.trial_id, piece.lease] += piece.epochs
    return Picture(
        studies={row.id: row for row in rows(_STUDIES)},
        trials={row.id: row for row in rows(_TRIALS)},
        attempts=_grouped(rows(_ATTEMPTS), lambda row: row.trial_id),
        events=_grouped(rows(_EVENTS), lambda row: row.study_id),
        counts={(row.study_id, row.purpose, row.status): row.trials for row in rows(_COUNTS)},
        curves=dict(reported),
        workers={row.name: row for row in rows(_WORKERS)},
    )


def _grouped(rows: Iterable[Row], key: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return dict(groups)


# A deleted study is gone; when its rows are removed is nobody's concern.
_THERE = studies.c.deleted_at.is_(None)
_STUDIES_THERE = sa.select(studies.c.id).where(_THERE)
_TRIALS_THERE = sa.select(trials.c.id).where(trials.c.study_id.in_(_STUDIES_THERE))
_STUDIES = sa.select(studies).where(_THERE).order_by(studies.c.created_at, studies.c.id)
_TRIALS = sa.select(trials).where(trials.c.study_id.in_(_STUDIES_THERE)).order_by(trials.c.study_id, trials.c.number)
_ATTEMPTS = (
    sa.select(attempts).where(attempts.c.trial_id.in_(_TRIALS_THERE)).order_by(attempts.c.trial_id, attempts.c.lease)
)
_CURVES = (
    sa.select(curves)
    .where(curves.c.trial_id.in_(_TRIALS_THERE))
    .order_by(curves.c.trial_id, curves.c.lease, curves.c.first_epoch)
)
_EVENTS = sa.select(events).where(events.c.study_id.in_(_STUDIES_THERE)).order_by(events.c.study_id, events.c.sequence)
_COUNTS = sa.select(trial_counts)
_WORKERS = sa.select(workers)
