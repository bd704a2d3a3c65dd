"""Who asks for trials, and how it went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from service.domain.status import FailureReason, Purpose, TrialStatus
from service.domain.trial import Trial
from service.storage.tables import UtcDateTime, studies, trials, workers


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
        known = self._connection.execute(_CHANGE, {"of_worker": name, **said})
        if not known.rowcount:
            self._connection.execute(
                sa.insert(workers).values(name=name, completed=0, failed=0, first_seen_at=now, **said)
            )

    def terms(self, name: str) -> Terms | None:
        """The terms of the last claim of a worker that is not paused."""
        row = self._connection.execute(_TERMS, {"of_worker": name}).one_or_none()
        return None if row is None else Terms(row.objectives, [Purpose(p) for p in row.purposes], row.study)

    def completed(self, trial: Trial, now: datetime) -> None:
        """Count a trial that its worker completed."""
        self._connection.execute(_COMPLETED, _of(trial, now) | {"last_seen_at": now})

    def failed(self, trial: Trial, reason: FailureReason, now: datetime) -> None:
        """Count a trial that its worker failed; where values diverged that says nothing of the worker."""
        self._connection.execute(_FAILED, {"of_worker": trial.worker, "last_seen_at": now})
        if reason is not FailureReason.DIVERGED:
            self._connection.execute(_FAILED_AGAIN, _of(trial, now))

    def lost(self, trial: Trial, now: datetime) -> None:
        """Note that nothing was heard of a worker that had a trial."""
        self._connection.execute(_FAILED_AGAIN, _of(trial, now))

    def pruned(self, trial: Trial) -> None:
        """Note that a worker ran well what was not worth its end."""
        self._connection.execute(_RAN_WELL, {"of_worker": trial.worker})

    def run(self, name: str) -> Run | None:
        row = self._connection.execute(_RUN, {"of_worker": name}).one_or_none()
        return None if row is None else Run(*row)

    def others_succeed(self, name: str, run: Run) -> bool:
        """Whether another worker has completed a trial of the objective that this one fails, since it does."""
        asked = {"of_worker": name, "of_objective": run.failing_objective, "since": run.failing_since}
        return bool(self._connection.scalar(_OTHERS_SUCCEED, asked))

    def pause(self, name: str, reason: str, now: datetime) -> None:
        self._connection.execute(_PAUSE, {"of_worker": name, "reason": reason, "paused_at": now})

    def release(self, name: str) -> None:
        self._connection.execute(_RELEASE, {"of_worker": name})

    def one(self, name: str) -> Worker | None:
        return next(iter(self._select(workers.c.name == name)), None)

    def all(self) -> list[Worker]:
        return self._select(sa.true())

    def _select(self, condition: sa.ColumnElement[bool]) -> list[Worker]:
        running = (
            sa.select(sa.func.count())
            .where(trials.c.worker == workers.c.name, trials.c.status == TrialStatus.RUNNING)
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
        )
        return [Worker(**row._asdict()) for row in rows]


_CHANGE = sa.update(workers).where(workers.c.name == sa.bindparam("of_worker"))
_OBJECTIVE = sa.select(studies.c.objective).where(studies.c.id == sa.bindparam("of_study")).scalar_subquery()
_RAN_WELL = _CHANGE.where(workers.c.failures_in_a_row > 0).values(failures_in_a_row=0, failing_since=None)
_COMPLETED = _CHANGE.values(
    completed=workers.c.completed + 1,
    failures_in_a_row=0,
    failing_since=None,
    completed_objective=_OBJECTIVE,
    completed_at=sa.bindparam("at"),
)
_FAILED = _CHANGE.values(failed=workers.c.failed + 1)
_FAILED_AGAIN = _CHANGE.values(
    failures_in_a_row=workers.c.failures_in_a_row + 1,
    failing_since=sa.func.coalesce(workers.c.failing_since, sa.bindparam("at", type_=UtcDateTime)),
    failing_objective=_OBJECTIVE,
)
_PAUSE = _CHANGE.values(paused_reason=sa.bindparam("reason"))
_RELEASE = _CHANGE.values(paused_at=None, paused_reason=None, failures_in_a_row=0, failing_since=None)
_RUN = sa.select(
    workers.c.failures_in_a_row, workers.c.failing_since, workers.c.failing_objective, workers.c.paused_reason
).where(workers.c.name == sa.bindparam("of_worker"))
_OTHERS_SUCCEED = sa.select(
    sa.exists().where(
        workers.c.name != sa.bindparam("of_worker"),
        workers.c.completed_objective == sa.bindparam("of_objective"),
        workers.c.completed_at >= sa.bindparam("since"),
    )
)
_TERMS = sa.select(workers.c.objectives, workers.c.purposes, workers.c.study).where(
    workers.c.name == sa.bindparam("of_worker"), workers.c.paused_at.is_(None)
)


def _of(trial: Trial, now: datetime) -> dict[str, object]:
    return {"of_worker": trial.worker, "of_study": trial.study_id, "at": now}
