"""The leases that were given on a trial, and the learning curve of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import sqlalchemy as sa

from service.domain.status import AttemptEnd
from service.storage.tables import attempts, curves

EpochNumbers: TypeAlias = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One lease on a trial; `attempt` counts those that were not given back."""

    attempt: int
    worker: str
    started_at: datetime
    ended_at: datetime | None
    end: AttemptEnd | None
    message: str | None


class Attempts:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def open(self, trial_id: int, lease: int, attempt: int, token: str, worker: str, now: datetime) -> None:
        self._connection.execute(
            sa.insert(attempts).values(
                trial_id=trial_id, lease=lease, attempt=attempt, token=token, worker=worker, started_at=now
            )
        )

    def close(self, trial_id: int, lease: int, end: AttemptEnd, now: datetime, message: str | None = None) -> None:
        self._connection.execute(
            sa.update(attempts)
            .where(attempts.c.trial_id == trial_id, attempts.c.lease == lease)
            .values(end=end, ended_at=now, message=message)
        )

    def end_of(self, trial_id: int, token: str) -> AttemptEnd | None:
        """How the attempt under a token ended; None where it has not, or where there was none."""
        end = self._connection.scalar(
            sa.select(attempts.c.end).where(attempts.c.trial_id == trial_id, attempts.c.token == token)
        )
        return None if end is None else AttemptEnd(end)

    def all(self, trial_id: int) -> list[Attempt]:
        rows = self._connection.execute(
            sa.select(
                attempts.c.attempt,
                attempts.c.worker,
                attempts.c.started_at,
                attempts.c.ended_at,
                attempts.c.end,
                attempts.c.message,
            )
            .where(attempts.c.trial_id == trial_id)
            .order_by(attempts.c.lease)
        )
        return [Attempt(*row) for row in rows]

    def add_epochs(self, trial_id: int, lease: int, epochs: Sequence[EpochNumbers]) -> int:
        """Add to a learning curve; epochs that are there already are not added again. Returns how many were new."""
        known = self._last_epoch(trial_id, lease)
        fresh = [epoch for epoch in epochs if known is None or epoch["epoch"] > known]
        if fresh:
            self._connection.execute(
                sa.insert(curves).values(
                    trial_id=trial_id, lease=lease, first_epoch=fresh[0]["epoch"], epochs=[dict(e) for e in fresh]
                )
            )
            self._connection.execute(
                sa.update(attempts)
                .where(attempts.c.trial_id == trial_id, attempts.c.lease == lease)
                .values(last_epoch=fresh[-1]["epoch"])
            )
        return len(fresh)

    def curve(self, trial_id: int) -> list[EpochNumbers]:
        """The learning curve of the last attempt, by epoch."""
        last = sa.select(sa.func.max(attempts.c.lease)).where(attempts.c.trial_id == trial_id).scalar_subquery()
        rows = self._connection.execute(
            sa.select(curves.c.epochs)
            .where(curves.c.trial_id == trial_id, curves.c.lease == last)
            .order_by(curves.c.first_epoch)
        )
        return [epoch for row in rows for epoch in row.epochs]

    def _last_epoch(self, trial_id: int, lease: int) -> int | None:
        return self._connection.scalar(
            sa.select(attempts.c.last_epoch).where(attempts.c.trial_id == trial_id, attempts.c.lease == lease)
        )
