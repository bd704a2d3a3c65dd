"""Who asks for trials, and how it went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from service.domain.status import Purpose
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
        known = self._connection.execute(_CHANGE, {"of_worker": name, **said})
        if not known.rowcount:
            self._connection.execute(
                sa.insert(workers).values(name=name, completed=0, failed=0, first_seen_at=now, **said)
            )

    def terms(self, name: str) -> Terms | None:
        """The terms of a worker's last claim."""
        row = self._connection.execute(_TERMS, {"of_worker": name}).one_or_none()
        return None if row is None else Terms(row.objectives, [Purpose(p) for p in row.purposes], row.study)

    def finished(self, name: str | None, now: datetime, *, failed: bool) -> None:
        """Count a trial that a worker brought to its end."""
        self._connection.execute(
            _ONE_MORE_FAILED if failed else _ONE_MORE_COMPLETED, {"of_worker": name, "last_seen_at": now}
        )

    def objectives(self) -> frozenset[str]:
        """Every objective that a worker has announced."""
        return frozenset(name for names in self._connection.scalars(_OBJECTIVES) for name in names)

    def all(self) -> list[Worker]:
        running = (
            sa.select(sa.func.count())
            .where(trials.c.worker == workers.c.name, trials.c.lease_token.is_not(None))
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


_CHANGE = sa.update(workers).where(workers.c.name == sa.bindparam("of_worker"))
_ONE_MORE_COMPLETED = _CHANGE.values(completed=workers.c.completed + 1)
_ONE_MORE_FAILED = _CHANGE.values(failed=workers.c.failed + 1)
_OBJECTIVES = sa.select(workers.c.objectives)
_TERMS = sa.select(workers.c.objectives, workers.c.purposes, workers.c.study).where(
    workers.c.name == sa.bindparam("of_worker")
)
