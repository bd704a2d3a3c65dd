"""Who asks for trials, and how it went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from service.domain.status import Purpose, TrialStatus
from service.storage.prepared import Prepared, Record
from service.storage.tables import trials, workers


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

    def terms(self, name: str) -> Terms | None:
        """The terms of a worker's last claim."""
        return _terms(_TERMS.row(self._connection, {"of_worker": name}))

    def seen_again(self, name: str, now: datetime) -> Terms | None:
        """Note that a worker asked for more on the terms of its last claim."""
        return _terms(_SEEN_AGAIN.row(self._connection, {"of_worker": name, "last_seen_at": now}))

    def finished(self, name: str | None, now: datetime, *, failed: bool) -> None:
        """Count a trial that a worker brought to its end."""
        one_more = _ONE_MORE_FAILED if failed else _ONE_MORE_COMPLETED
        one_more.change(self._connection, {"of_worker": name, "last_seen_at": now})

    def all(self) -> list[Worker]:
        running = (
            sa.select(sa.func.count())
            .where(trials.c.worker == workers.c.name, trials.c.status == TrialStatus.RUNNING)
            .scalar_subquery()
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
            ).order_by(workers.c.name)
        )
        return [Worker(*row) for row in rows]


def _terms(row: Record | None) -> Terms | None:
    if row is None:
        return None
    return Terms(row["objectives"], [Purpose(purpose) for purpose in row["purposes"]], row["study"])


_THIS_ONE = workers.c.name == sa.bindparam("of_worker")
_UPDATE = sa.update(workers).where(_THIS_ONE)
_CHANGE = Prepared(_UPDATE)
_ONE_MORE_COMPLETED = Prepared(_UPDATE.values(completed=workers.c.completed + 1))
_ONE_MORE_FAILED = Prepared(_UPDATE.values(failed=workers.c.failed + 1))
_SEEN_AGAIN = Prepared(_UPDATE.returning(workers.c.objectives, workers.c.purposes, workers.c.study))
_TERMS = Prepared(sa.select(workers.c.objectives, workers.c.purposes, workers.c.study).where(_THIS_ONE))
