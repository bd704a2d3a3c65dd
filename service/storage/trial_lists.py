"""Trials of a study by the many: what is in a status, what was observed, the best, and pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from service.domain.space import PointKey
from service.domain.status import FINISHED, Purpose, TrialStatus
from service.domain.trial import Goal, Observation, Origin, Trial
from service.storage.prepared import Record
from service.storage.tables import trials
from service.storage.trial_pages import RANKED, After, Sort, count_of, page_of
from service.storage.trial_rows import OBSERVED, TRIALS, observation_of, trial_of


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
        # One purpose after the other: SQLite would rather read the whole study than look up several.
        of_status = TRIALS.where(trials.c.study_id == study_id, trials.c.status == status)
        purposes = list(Purpose) if purpose is None else [purpose]
        found = [trial for one in purposes for trial in self._by_number(of_status.where(trials.c.purpose == one))]
        return sorted(found, key=lambda trial: trial.number)

    def of_purpose(self, study_id: str, purpose: Purpose) -> list[Trial]:
        """All trials of a study with a purpose, by number."""
        return self._by_number(TRIALS.where(trials.c.study_id == study_id, trials.c.purpose == purpose))

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
        query = OBSERVED.where(
            trials.c.study_id == study_id,
            trials.c.purpose == Purpose.SEARCH,
            trials.c.finished_event > after,
            trials.c.status.in_(FINISHED),
        ).order_by(trials.c.finished_event, trials.c.number)
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
            # Written so that SQLite looks for the status rather than for the events.
            sa.func.coalesce(trials.c.finished_event, 0) <= until,
        )
        return frozenset(PointKey(point) for point in self._connection.scalars(cancelled))

    def points(self, study_id: str, before: int | None = None) -> frozenset[PointKey]:
        """The keys of the points of all trials of a study, or of those with lower numbers than one."""
        query = sa.select(trials.c.point).where(trials.c.study_id == study_id)
        rows = self._connection.scalars(query if before is None else query.where(trials.c.number < before))
        return frozenset(PointKey(point) for point in rows)

    def best(self, study_id: str, goal: Goal, count: int, round: int | None = None) -> list[Trial]:
        """The best search trials, best first, ties by lower number, pruned ones after all completed ones."""
        return [trial_of(row) for row in self._best(TRIALS, study_id, goal, count, round)]

    def best_observations(self, study_id: str, goal: Goal, count: int, round: int | None = None) -> list[Observation]:
        """The same, as what they have shown, which costs a fraction."""
        return [observation_of(row) for row in self._best(OBSERVED, study_id, goal, count, round)]

    def count_ranked(self, study_id: str, most: int, round: int | None = None) -> int:
        """How many search trials have a value, counted up to a number."""
        asked = {"of_study": study_id, "of_purpose": Purpose.SEARCH, "of_round": round, "rows": most}
        return int(count_of(RANKED, in_round=round is not None).rows(self._connection, asked)[0]["counted"])

    def page(
        self,
        study_id: str,
        wanted: TrialFilter,
        sort: Sort,
        after: tuple[float | None, int] | None,
        limit: int,
    ) -> list[Trial]:
        """Trials in the order asked for, those without a value last, from the one after (value, number)."""
        value, number = after or (None, 0)
        place: After = "start" if after is None else "number" if value is None or sort == "number" else "value"
        statuses = tuple(TrialStatus) if wanted.status is None else (wanted.status,)
        asked = {"of_study": study_id, "of_purpose": wanted.purpose, "of_round": wanted.round, "rows": limit}
        where = {} if place == "start" else {"after_value": value, "after_number": number}
        query = page_of(TRIALS, statuses, sort, place, in_round=wanted.round is not None)
        return [trial_of(row) for row in query.rows(self._connection, {**asked, **where})]

    def _best(self, shown: sa.Select[Any], study_id: str, goal: Goal, count: int, round: int | None) -> list[Record]:
        sort: Sort = "-value" if goal is Goal.MAXIMIZE else "value"
        asked = {"of_study": study_id, "of_purpose": Purpose.SEARCH, "of_round": round}
        found: list[Record] = []
        for status in RANKED:
            if len(found) < count:
                query = page_of(shown, (status,), sort, "start", in_round=round is not None)
                found += query.rows(self._connection, {**asked, "rows": count - len(found)})
        return found

    def _by_number(self, query: sa.Select[Any]) -> list[Trial]:
        """Put in order here: asked for it, SQLite would rather walk through all trials of the study by number."""
        found = (trial_of(row) for row in self._connection.execute(query).mappings())
        return sorted(found, key=lambda trial: trial.number)
