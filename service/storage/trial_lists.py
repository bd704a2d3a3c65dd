"""Trials of a study by the many: what is in a status, what was observed, the best, and pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa

from service.domain.space import PointKey
from service.domain.status import FINISHED, Purpose, TrialStatus
from service.domain.trial import Goal, Observation, Origin, Trial
from service.storage.tables import trials
from service.storage.trial_rows import TRIALS, trial_of

Sort: TypeAlias = Literal["number", "value", "-value"]
RANKED = (TrialStatus.COMPLETED, TrialStatus.PRUNED)


@dataclass(frozen=True, slots=True)
class TrialFilter:
    purpose: Purpose = Purpose.SEARCH
    status: TrialStatus | None = None
    round: int | None = None


class TrialLists:
    """Readings of many trials."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def in_status(self, study_id: str, status: TrialStatus, purpose: Purpose | None = None) -> list[Trial]:
        """All trials of a study that wait, or that run."""
        query = TRIALS.where(trials.c.study_id == study_id, trials.c.status == status).order_by(trials.c.number)
        if purpose is not None:
            query = query.where(trials.c.purpose == purpose)
        return [trial_of(row) for row in self._connection.execute(query).mappings()]

    def of_purpose(self, study_id: str, purpose: Purpose) -> list[Trial]:
        """All trials of a study with a purpose, by number."""
        query = TRIALS.where(trials.c.study_id == study_id, trials.c.purpose == purpose).order_by(trials.c.number)
        return [trial_of(row) for row in self._connection.execute(query).mappings()]

    def numbered(self, study_id: str, numbers: Sequence[int]) -> dict[int, Trial]:
        """Those of these numbers that there are."""
        rows = self._connection.execute(TRIALS.where(trials.c.study_id == study_id, trials.c.number.in_(numbers)))
        return {row["number"]: trial_of(row) for row in rows.mappings()}

    def unclaimed(self, study_id: str) -> list[Trial]:
        """Suggestions that wait and that nobody has ever claimed."""
        rows = self._connection.execute(
            TRIALS.where(
                trials.c.study_id == study_id,
                trials.c.purpose == Purpose.SEARCH,
                trials.c.status == TrialStatus.WAITING,
                trials.c.origin == Origin.SUGGESTED,
                trials.c.leases == 0,
            ).order_by(trials.c.number)
        )
        return [trial_of(row) for row in rows.mappings()]

    def observations(self, study_id: str, after: int = -1, until: int | None = None) -> list[Observation]:
        """What a search may know of its finished trials, in the order of their ends, from and to numbers of events."""
        query = (
            sa.select(
                trials.c.number, trials.c.params, trials.c.status, trials.c.value, trials.c.samples, trials.c.round
            )
            .where(
                trials.c.study_id == study_id,
                trials.c.purpose == Purpose.SEARCH,
                trials.c.finished_event > after,
                trials.c.status.in_(FINISHED),
            )
            .order_by(trials.c.finished_event, trials.c.number)
        )
        rows = self._connection.execute(query if until is None else query.where(trials.c.finished_event <= until))
        return [
            Observation(row.number, row.params, TrialStatus(row.status), row.value, row.samples, row.round)
            for row in rows
        ]

    def cancelled_points(self, study_id: str, until: int) -> frozenset[PointKey]:
        """The keys of the points of search trials that were cancelled, up to a number of the study's events."""
        cancelled = sa.select(trials.c.point).where(
            trials.c.study_id == study_id,
            trials.c.purpose == Purpose.SEARCH,
            trials.c.status == TrialStatus.CANCELLED,
            trials.c.finished_event <= until,
        )
        return frozenset(PointKey(point) for point in self._connection.scalars(cancelled))

    def points(self, study_id: str, before: int | None = None) -> frozenset[PointKey]:
        """The keys of the points of all trials of a study, or of those with lower numbers than one."""
        query = sa.select(trials.c.point).where(trials.c.study_id == study_id)
        rows = self._connection.scalars(query if before is None else query.where(trials.c.number < before))
        return frozenset(PointKey(point) for point in rows)

    def best(self, study_id: str, goal: Goal, count: int, round: int | None = None) -> list[Trial]:
        """The best search trials, best first, ties by lower number, pruned ones after all completed ones."""
        found: list[Trial] = []
        for status in RANKED:
            query = TRIALS.where(
                trials.c.study_id == study_id,
                trials.c.purpose == Purpose.SEARCH,
                trials.c.status == status,
                trials.c.value.is_not(None),
            )
            if round is not None:
                query = query.where(trials.c.round == round)
            order = trials.c.value.desc() if goal is Goal.MAXIMIZE else trials.c.value.asc()
            rows = self._connection.execute(query.order_by(order, trials.c.number).limit(count - len(found)))
            found += [trial_of(row) for row in rows.mappings()]
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
        query = TRIALS.where(trials.c.study_id == study_id, trials.c.purpose == wanted.purpose).limit(limit)
        if wanted.status is not None:
            query = query.where(trials.c.status == wanted.status)
        if wanted.round is not None:
            query = query.where(trials.c.round == wanted.round)
        if after is not None:
            query = query.where(_after(sort, *after))
        return [trial_of(row) for row in self._connection.execute(query.order_by(*_order(sort))).mappings()]


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
