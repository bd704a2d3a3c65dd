"""Trials one by one: how they are written down, found, and held under a lease."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import merge
from itertools import islice
from typing import Any

import sqlalchemy as sa

from service.domain.errors import TrialNotFound
from service.domain.space import PointKey, Scalar, key_of
from service.domain.status import Purpose, TrialStatus
from service.domain.study import Study
from service.domain.trial import Origin, Trial
from service.storage.prepared import Prepared, Record
from service.storage.tables import attempts, studies, trials
from service.storage.trial_ends import TrialEnds
from service.storage.trial_lists import TrialLists
from service.storage.trial_moves import TrialMoves
from service.storage.trial_rows import TRIALS, trial_of


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTrial:
    """A trial to be written down, waiting or already finished."""

    number: int
    params: Mapping[str, Scalar]
    round: int
    seed: int
    origin: Origin
    attempts_allowed: int
    purpose: Purpose = Purpose.SEARCH
    provenance: Mapping[str, object] | None = None
    value: float | None = None
    samples: int | None = None
    finished_event: int | None = None
    source: int | None = None
    split: int | None = None

    @property
    def status(self) -> TrialStatus:
        return TrialStatus.WAITING if self.value is None else TrialStatus.COMPLETED


class Trials(TrialMoves, TrialLists, TrialEnds):
    """The trials of all studies."""

    def add(self, study: Study, new: Sequence[NewTrial], now: datetime) -> list[Trial]:
        """Write trials down, as completed where they have a value, as waiting otherwise."""
        rows = [_row(study, trial, now) for trial in new]
        ids = self._connection.scalars(_ADD, rows).all() if len(rows) > 1 else [self._add(rows[0])]
        for (purpose, status), count in Counter((trial.purpose, trial.status) for trial in new).items():
            self._count(study.id, purpose, status, count)
        return [_trial(study, row, trial_id) for row, trial_id in zip(rows, ids, strict=True)]

    def get(self, trial_id: int) -> Trial:
        found = self._one(_BY_ID, of_trial=trial_id)
        if found is None:
            raise TrialNotFound(str(trial_id))
        return found

    def by_number(self, study_id: str, number: int) -> Trial:
        found = self._one(_BY_NUMBER, of_study=study_id, of_number=number)
        if found is None:
            raise TrialNotFound(f"number {number} in this study")
        return found

    def held(self, trial_id: int, token: str) -> tuple[Trial, int | None] | None:
        """The trial and the last epoch of its curve, if this lease on it is the one in force."""
        row = _HELD.row(self._connection, {"of_trial": trial_id, "token": token})
        if row is None:
            return None
        last_epoch = row.pop("last_epoch")
        return trial_of(row), last_epoch

    def claimed_with(self, claim_request: str) -> list[Trial]:
        """The trials that run under leases given in answer to one request."""
        return self._found(_CLAIMED_WITH, request=claim_request)

    def next_waiting(self, study_id: str, purposes: Sequence[Purpose], count: int) -> list[Trial]:
        """Trials that may be claimed, by number."""
        # Of each purpose by itself, since an index has them in the order of their numbers only so.
        asked = {"of_study": study_id, "count": count}
        found = [self._found(_NEXT_WAITING, of_purpose=purpose, **asked) for purpose in purposes]
        return list(islice(merge(*found, key=lambda trial: trial.number), count))

    def expired(self, study_id: str, now: datetime) -> list[Trial]:
        """Running trials of a study whose lease has run out."""
        return self._found(_EXPIRED, of_study=study_id, now=now)

    def studies_with_expired(self, now: datetime) -> list[str]:
        """The ids of the studies of running trials whose lease has run out."""
        return list(self._connection.scalars(_STUDIES_WITH_EXPIRED, {"now": now}))

    def studies_with_running(self) -> list[str]:
        """The ids of the studies of which a trial runs."""
        return self.studies_with_expired(_END_OF_TIME)

    def has_point(self, study_id: str, point: PointKey, besides: Sequence[int] = ()) -> bool:
        """Whether a trial of the study, besides some, has a point."""
        asked = {"of_study": study_id, "of_point": point, "besides": list(besides)}
        return bool(self._connection.scalar(_HAS_POINT, asked))

    def _add(self, row: Record) -> int:
        return int(_ADD_ONE.rows(self._connection, row)[0]["id"])

    def _found(self, query: Prepared, **parameters: object) -> list[Trial]:
        return [trial_of(row) for row in query.rows(self._connection, parameters)]

    def _one(self, query: sa.Select[Any], **parameters: object) -> Trial | None:
        row = self._connection.execute(query, parameters).mappings().one_or_none()
        return None if row is None else trial_of(row)


def _row(study: Study, new: NewTrial, now: datetime) -> Record:
    return {
        "study_id": study.id,
        "number": new.number,
        "purpose": new.purpose,
        "origin": new.origin,
        "status": new.status,
        "params": dict(new.params),
        "point": key_of(new.params),
        "value": new.value,
        "samples": new.samples,
        "round": new.round,
        "seed": new.seed,
        "provenance": new.provenance,
        "attempt": 0,
        "attempts_allowed": new.attempts_allowed,
        "leases": 0,
        "stale": False,
        "source": new.source,
        "split": new.split,
        "created_at": now,
        "finished_at": None if new.value is None else now,
        "finished_event": new.finished_event,
    }


def _trial(study: Study, row: Mapping[str, Any], trial_id: int) -> Trial:
    """The trial as it was just written down."""
    fields = {name: value for name, value in row.items() if name != "point"}
    return Trial(id=trial_id, study_name=study.name, **_NEVER_RUN, **fields)


_NEVER_RUN: dict[str, Any] = dict.fromkeys(
    (
        "worker",
        "failure_reason",
        "failure_message",
        "started_at",
        "lease_token",
        "lease_expires_at",
        "stop_reason",
    )
)
_END_OF_TIME = datetime.max.replace(tzinfo=UTC)
# Statements that every trial passes through are built once: building one costs more than running it.
_RUNNING = trials.c.status == TrialStatus.RUNNING
_ADD = sa.insert(trials).returning(trials.c.id, sort_by_parameter_order=True)
_ADD_ONE = Prepared(sa.insert(trials).returning(trials.c.id))
_BY_ID = TRIALS.where(trials.c.id == sa.bindparam("of_trial"), studies.c.deleted_at.is_(None))
_BY_NUMBER = TRIALS.where(trials.c.study_id == sa.bindparam("of_study"), trials.c.number == sa.bindparam("of_number"))
_HELD = Prepared(
    _BY_ID.add_columns(attempts.c.last_epoch)
    .join(attempts, sa.and_(attempts.c.trial_id == trials.c.id, attempts.c.lease == trials.c.leases))
    .where(_RUNNING, trials.c.lease_token == sa.bindparam("token"))
    .with_for_update(of=trials)
)
_CLAIMED_WITH = Prepared(
    TRIALS.where(trials.c.claim_request == sa.bindparam("request"), _RUNNING).order_by(trials.c.id)
)
_NEXT_WAITING = Prepared(
    TRIALS.where(
        trials.c.study_id == sa.bindparam("of_study"),
        trials.c.purpose == sa.bindparam("of_purpose"),
        trials.c.status == TrialStatus.WAITING,
        trials.c.stale.is_(False),
    )
    .order_by(trials.c.number)
    # A sum, since SQLite plans a query anew each time that a value is bound to a limit by itself.
    .limit(sa.bindparam("count", type_=sa.Integer) + sa.literal_column("0"))
    .with_for_update(skip_locked=True, of=trials)
)
_HAS_EXPIRED = sa.and_(trials.c.lease_expires_at < sa.bindparam("now"), _RUNNING)
_EXPIRED = Prepared(TRIALS.where(trials.c.study_id == sa.bindparam("of_study"), _HAS_EXPIRED).order_by(trials.c.id))
_STUDIES_WITH_EXPIRED = sa.select(trials.c.study_id).where(_HAS_EXPIRED).distinct().order_by(trials.c.study_id)
_HAS_POINT = sa.select(
    sa.exists().where(
        trials.c.study_id == sa.bindparam("of_study"),
        trials.c.point == sa.bindparam("of_point"),
        trials.c.id.not_in(sa.bindparam("besides", expanding=True)),
    )
)
