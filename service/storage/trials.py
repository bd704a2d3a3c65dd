"""The trials of all studies: how they are written down, found, paged and ranked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa

from service.domain.errors import TrialNotFound
from service.domain.space import PointKey, Scalar, key_of
from service.domain.status import FailureReason, Purpose, TrialStatus
from service.domain.trial import Goal, Observation, Origin, Trial
from service.storage.tables import studies, trials
from service.storage.trial_moves import TrialMoves

Sort: TypeAlias = Literal["number", "value", "-value"]
FINISHED = (TrialStatus.COMPLETED, TrialStatus.PRUNED, TrialStatus.FAILED)
RANKED = (TrialStatus.COMPLETED, TrialStatus.PRUNED)


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


@dataclass(frozen=True, slots=True)
class TrialFilter:
    purpose: Purpose = Purpose.SEARCH
    status: TrialStatus | None = None
    round: int | None = None


class Trials(TrialMoves):
    """How trials are written down and found."""

    def add(self, study_id: str, new: Sequence[NewTrial], now: datetime) -> list[int]:
        """Write trials down, as completed where they have a value, as waiting otherwise; returns their ids."""
        rows = [
            {
                "study_id": study_id,
                "number": trial.number,
                "purpose": trial.purpose,
                "origin": trial.origin,
                "status": _first_status(trial),
                "params": dict(trial.params),
                "point": key_of(trial.params),
                "value": trial.value,
                "samples": trial.samples,
                "round": trial.round,
                "seed": trial.seed,
                "provenance": trial.provenance,
                "attempt": 0,
                "attempts_allowed": trial.attempts_allowed,
                "leases": 0,
                "stale": False,
                "created_at": now,
                "finished_at": None if trial.value is None else now,
            }
            for trial in new
        ]
        ids = self._connection.scalars(sa.insert(trials).returning(trials.c.id, sort_by_parameter_order=True), rows)
        for trial in new:
            self._count(study_id, trial.purpose, _first_status(trial), 1)
        return list(ids)

    def get(self, trial_id: int) -> Trial:
        found = self._find(trials.c.id == trial_id)
        if found is None:
            raise TrialNotFound(str(trial_id))
        return found

    def by_number(self, study_id: str, number: int) -> Trial:
        found = self._find(trials.c.study_id == study_id, trials.c.number == number)
        if found is None:
            raise TrialNotFound(f"number {number} in this study")
        return found

    def held(self, trial_id: int, token: str) -> Trial | None:
        """The trial, if this lease on it is the one in force; nothing takes it until the transaction ends.

        Its study is locked first, as it is by claims: two orders of locking would be a deadlock.
        """
        study = sa.select(trials.c.study_id).where(trials.c.id == trial_id).scalar_subquery()
        self._connection.execute(sa.select(studies.c.id).where(studies.c.id == study).with_for_update())
        return self._find(
            trials.c.id == trial_id,
            trials.c.status == TrialStatus.RUNNING,
            trials.c.lease_token == token,
            lock=True,
        )

    def claimed_with(self, claim_request: str) -> list[Trial]:
        """The trials that run under leases given in answer to one request."""
        rows = self._connection.execute(
            _TRIALS.where(trials.c.claim_request == claim_request, trials.c.status == TrialStatus.RUNNING).order_by(
                trials.c.id
            )
        )
        return [_trial(row) for row in rows.mappings()]

    def next_waiting(self, study_id: str, purposes: Sequence[Purpose], count: int) -> list[Trial]:
        """Trials that may be claimed, those that were tried before first, then by number."""
        rows = self._connection.execute(
            _TRIALS.where(
                trials.c.study_id == study_id,
                trials.c.purpose.in_(purposes),
                trials.c.status == TrialStatus.WAITING,
                trials.c.stale.is_(False),
            )
            .order_by(trials.c.number)
            .limit(count)
            .with_for_update(skip_locked=True, of=trials)
        )
        return [_trial(row) for row in rows.mappings()]

    def in_status(self, study_id: str, status: TrialStatus, purpose: Purpose | None = None) -> list[Trial]:
        """All trials of a study that wait, or that run."""
        query = _TRIALS.where(trials.c.study_id == study_id, trials.c.status == status).order_by(trials.c.number)
        if purpose is not None:
            query = query.where(trials.c.purpose == purpose)
        return [_trial(row) for row in self._connection.execute(query).mappings()]

    def expired(self, now: datetime, limit: int = 1000) -> list[Trial]:
        """Running trials whose lease has run out."""
        rows = self._connection.execute(
            _TRIALS.where(trials.c.lease_expires_at < now, trials.c.status == TrialStatus.RUNNING)
            .order_by(trials.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True, of=trials)
        )
        return [_trial(row) for row in rows.mappings()]

    def studies_with_expired(self, now: datetime) -> list[str]:
        """The ids of the studies of running trials whose lease has run out."""
        rows = self._connection.execute(
            sa.select(trials.c.study_id)
            .where(trials.c.lease_expires_at < now, trials.c.status == TrialStatus.RUNNING)
            .distinct()
            .order_by(trials.c.study_id)
        )
        return [row.study_id for row in rows]

    def running_everywhere(self) -> list[Trial]:
        rows = self._connection.execute(_TRIALS.where(trials.c.lease_expires_at.is_not(None)))
        return [_trial(row) for row in rows.mappings()]

    def unclaimed(self, study_id: str) -> list[Trial]:
        """Suggestions that wait and that nobody has ever claimed."""
        rows = self._connection.execute(
            _TRIALS.where(
                trials.c.study_id == study_id,
                trials.c.purpose == Purpose.SEARCH,
                trials.c.status == TrialStatus.WAITING,
                trials.c.origin == Origin.SUGGESTED,
                trials.c.leases == 0,
            ).order_by(trials.c.number)
        )
        return [_trial(row) for row in rows.mappings()]

    def has_point(self, study_id: str, point: PointKey) -> bool:
        return bool(
            self._connection.scalar(
                sa.select(sa.exists().where(trials.c.study_id == study_id, trials.c.point == point))
            )
        )

    def observations(self, study_id: str) -> list[Observation]:
        """What a search may know of every finished search trial, by number."""
        rows = self._connection.execute(
            sa.select(
                trials.c.number, trials.c.params, trials.c.status, trials.c.value, trials.c.samples, trials.c.round
            )
            .where(
                trials.c.study_id == study_id,
                trials.c.purpose == Purpose.SEARCH,
                trials.c.status.in_(FINISHED),
            )
            .order_by(trials.c.number)
        )
        return [
            Observation(row.number, row.params, TrialStatus(row.status), row.value, row.samples, row.round)
            for row in rows
        ]

    def best(self, study_id: str, goal: Goal, count: int, round: int | None = None) -> list[Trial]:
        """The best search trials, best first, ties by lower number, pruned ones after all completed ones."""
        found: list[Trial] = []
        for status in RANKED:
            query = _TRIALS.where(
                trials.c.study_id == study_id,
                trials.c.purpose == Purpose.SEARCH,
                trials.c.status == status,
                trials.c.value.is_not(None),
            )
            if round is not None:
                query = query.where(trials.c.round == round)
            order = trials.c.value.desc() if goal is Goal.MAXIMIZE else trials.c.value.asc()
            rows = self._connection.execute(query.order_by(order, trials.c.number).limit(count - len(found)))
            found += [_trial(row) for row in rows.mappings()]
        return found

    def page(
        self,
        study_id: str,
        wanted: TrialFilter,
        sort: Sort,
        after: tuple[float | None, int] | None,
        limit: int,
    ) -> list[Trial]:
        """Trials in the order asked for, those without a value last, from the one after (value, number)."""
        query = _TRIALS.where(trials.c.study_id == study_id, trials.c.purpose == wanted.purpose).limit(limit)
        if wanted.status is not None:
            query = query.where(trials.c.status == wanted.status)
        if wanted.round is not None:
            query = query.where(trials.c.round == wanted.round)
        if after is not None:
            query = query.where(_after(sort, *after))
        return [_trial(row) for row in self._connection.execute(query.order_by(*_order(sort))).mappings()]

    def _find(self, *conditions: sa.ColumnElement[bool], lock: bool = False) -> Trial | None:
        query = _TRIALS.where(*conditions)
        row = self._connection.execute(query.with_for_update(of=trials) if lock else query).mappings().one_or_none()
        return None if row is None else _trial(row)


_TRIALS = sa.select(
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
    trials.c.lease_token,
    trials.c.lease_expires_at,
    trials.c.stop_reason,
    trials.c.stale,
).join_from(trials, studies, trials.c.study_id == studies.c.id)


def _trial(row: sa.RowMapping) -> Trial:
    fields = dict(row)
    reason = fields.pop("failure_reason")
    return Trial(
        status=TrialStatus(fields.pop("status")),
        purpose=Purpose(fields.pop("purpose")),
        origin=Origin(fields.pop("origin")),
        failure_reason=None if reason is None else FailureReason(reason),
        **fields,
    )


def _first_status(new: NewTrial) -> TrialStatus:
    return TrialStatus.WAITING if new.value is None else TrialStatus.COMPLETED


def _order(sort: Sort) -> tuple[sa.ColumnElement[Any], ...]:
    if sort == "number":
        return (trials.c.number.asc(),)
    value = trials.c.value.asc() if sort == "value" else trials.c.value.desc()
    return (trials.c.value.is_(None).asc(), value, trials.c.number.asc())


def _after(sort: Sort, value: float | None, number: int) -> sa.ColumnElement[bool]:
    if sort == "number":
        return trials.c.number > number
    if value is None:
        return sa.and_(trials.c.value.is_(None), trials.c.number > number)
    beyond = trials.c.value > value if sort == "value" else trials.c.value < value
    level = sa.and_(trials.c.value == value, trials.c.number > number)
    return sa.or_(beyond, level, trials.c.value.is_(None))
