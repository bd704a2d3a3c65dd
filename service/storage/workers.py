"""Who asks for trials, and how it went."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from service.domain.status import FailureReason, Purpose
from service.storage.prepared import Prepared, Record
from service.storage.tables import UtcDateTime, trials, workers


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker as it was last seen."""

    name: str
    objectives: list[str]
    running: int
    completed: int
    failed: int
    first_seen_at: datetime
    last_seen_at: datetime
    failures_in_a_row: int
    paused_at: datetime | None
    paused_reason: str | None


@dataclass(frozen=True, slots=True)
class Run:
    """How the last trials of a worker went, one after the other, and whether it may claim more."""

    failures_in_a_row: int
    failing_since: datetime | None
    failing_objective: str | None
    paused_reason: str | None


@dataclass(frozen=True, slots=True)
class Terms:
    """What a worker can run and is willing to."""

    objectives: Sequence[str]
    purposes: Sequence[Purpose]
    study: str | None = None


class Workers:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def seen(self, name: str, terms: Terms, now: datetime) -> None:
        """Note that a worker asked for trials, and on what terms."""
        said = {
            "objectives": list(terms.objectives),
            "purposes": list(terms.purposes),
            "study": terms.study,
            "last_seen_at": now,
        }
        if not _CHANGE.change(self._connection, {"of_worker": name, **said}):
            self._connection.execute(
                sa.insert(workers).values(name=name, completed=0, failed=0, first_seen_at=now, **said)
            )

    def seen_again(self, name: str, now: datetime) -> Terms | None:
        """The terms of the last claim of a worker that is not paused and asks for more on them."""
        return _terms(_SEEN_AGAIN.row(self._connection, {"of_worker": name, "last_seen_at": now}))

    def completed(self, name: str | None, objective: str, now: datetime) -> None:
        """Count a trial that a worker completed."""
        done = {"of_worker": name, "last_seen_at": now, "completed_objective": objective, "completed_at": now}
        _COMPLETED.change(self._connection, done)

    def failed(self, name: str | None, objective: str, reason: FailureReason, now: datetime) -> None:
        """Count a trial that a worker failed; where values diverged that says nothing of the worker."""
        _FAILED.change(self._connection, {"of_worker": name, "last_seen_at": now})
        if reason is not FailureReason.DIVERGED:
            self.lost(name, objective, now)

    def lost(self, name: str | None, objective: str, now: datetime) -> None:
        """Note that a worker did not come to the end of a trial."""
        _FAILED_AGAIN.change(self._connection, {"of_worker": name, "failing_objective": objective, "at": now})

    def pruned(self, name: str | None) -> None:
        """Note that a worker ran well what was not worth its end."""
        _RAN_WELL.change(self._connection, {"of_worker": name})

    def run(self, name: str) -> Run | None:
        row = _RUN.row(self._connection, {"of_worker": name})
        return None if row is None else Run(**row)

    def others_succeed(self, name: str, run: Run) -> bool:
        """Whether another worker has completed a trial of the objective that this one fails, since it does."""
        asked = {"of_worker": name, "of_objective": run.failing_objective, "since": run.failing_since}
        return bool(self._connection.scalar(_OTHERS_SUCCEED, asked))

    def pause(self, name: str, reason: str, now: datetime) -> None:
        _CHANGE.change(self._connection, {"of_worker": name, "paused_reason": reason, "paused_at": now})

    def release(self, name: str) -> None:
        _CHANGE.change(self._connection, {"of_worker": name, **_RELEASED})

    def one(self, name: str) -> Worker | None:
        return next(iter(self._select(workers.c.name == name)), None)

    def objectives(self) -> frozenset[str]:
        """Every objective that a worker has announced."""
        return frozenset(name for row in _OBJECTIVES.rows(self._connection, {}) for name in json.loads(row["names"]))

    def page(self, after: str | None, limit: int) -> list[Worker]:
        """Workers in the order of their names, from the one after `after`."""
        return self._select(sa.true() if after is None else workers.c.name > after, limit)

    def _select(self, condition: sa.ColumnElement[bool], limit: int = 1) -> list[Worker]:
        running = (
            sa.select(sa.func.count())
            .where(trials.c.worker == workers.c.name, trials.c.lease_token.is_not(None))
            .label("running")
        )
        rows = self._connection.execute(
            sa.select(
                workers.c.name,
                workers.c.objectives,
                running,
                workers.c.completed,
                workers.c.failed,
                workers.c.first_seen_at,
                workers.c.last_seen_at,
                workers.c.failures_in_a_row,
                workers.c.paused_at,
                workers.c.paused_reason,
            )
            .where(condition)
            .order_by(workers.c.name)
            .limit(limit)
        )
        return [Worker(**row._asdict()) for row in rows]


# Most workers announce the same, which is read once: JSON that is compared as text.
_OBJECTIVES = Prepared(sa.select(sa.cast(workers.c.objectives, sa.Text).label("names")).distinct())


def _terms(row: Record | None) -> Terms | None:
    if row is None:
        return None
    return Terms(row["objectives"], [Purpose(purpose) for purpose in row["purposes"]], row["study"])


_RELEASED = {"paused_at": None, "paused_reason": None, "failures_in_a_row": 0, "failing_since": None}
_THIS_ONE = workers.c.name == sa.bindparam("of_worker")
_UPDATE = sa.update(workers).where(_THIS_ONE)
_CHANGE = Prepared(_UPDATE)
_RAN_WELL = Prepared(_UPDATE.where(workers.c.failures_in_a_row > 0).values(failures_in_a_row=0, failing_since=None))
_COMPLETED = Prepared(_UPDATE.values(completed=workers.c.completed + 1, failures_in_a_row=0, failing_since=None))
_FAILED = Prepared(_UPDATE.values(failed=workers.c.failed + 1))
_FAILED_AGAIN = Prepared(
    _UPDATE.values(
        failures_in_a_row=workers.c.failures_in_a_row + 1,
        failing_since=sa.func.coalesce(workers.c.failing_since, sa.bindparam("at", type_=UtcDateTime)),
    )
)
_RUN = Prepared(
    sa.select(
        workers.c.failures_in_a_row, workers.c.failing_since, workers.c.failing_objective, workers.c.paused_reason
    ).where(_THIS_ONE)
)
_OTHERS_SUCCEED = sa.select(
    sa.exists().where(
        workers.c.name != sa.bindparam("of_worker"),
        workers.c.completed_objective == sa.bindparam("of_objective"),
        workers.c.completed_at >= sa.bindparam("since"),
    )
)
_OF_TERMS = (workers.c.objectives, workers.c.purposes, workers.c.study)
_NOT_PAUSED = workers.c.paused_at.is_(None)
_SEEN_AGAIN = Prepared(_UPDATE.where(_NOT_PAUSED).returning(*_OF_TERMS))
