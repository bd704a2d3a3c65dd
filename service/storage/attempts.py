"""The leases that were given on a trial, and the learning curve of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import sqlalchemy as sa

from service.domain.status import AttemptEnd
from service.domain.trial import Trial
from service.storage.prepared import Prepared
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


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended, and the last epoch of its curve, which stays when the curve is forgotten."""

    end: AttemptEnd
    last_epoch: int | None

    def reached(self, epochs: Sequence[EpochNumbers]) -> bool:
        """Whether its curve goes, or went, as far as these."""
        return not epochs or (self.last_epoch is not None and max(one["epoch"] for one in epochs) <= self.last_epoch)


class Attempts:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def open(self, leased: Trial, now: datetime) -> None:
        """Note the lease that a trial has just been given."""
        _OPEN.change(
            self._connection,
            {
                "trial_id": leased.id,
                "lease": leased.leases,
                "attempt": leased.attempt,
                "token": leased.lease_token,
                "worker": leased.worker,
                "started_at": now,
            },
        )

    def close(self, trial_id: int, lease: int, end: AttemptEnd, now: datetime, message: str | None = None) -> None:
        ended = {"end": end, "ended_at": now, "message": message}
        _CHANGE.change(self._connection, {"of_trial": trial_id, "of_lease": lease, **ended})

    def ending(self, trial_id: int, token: str) -> Ending | None:
        """How the attempt under a token ended; None where it has not, or where there was none."""
        row = self._connection.execute(
            sa.select(attempts.c.end, attempts.c.last_epoch).where(
                attempts.c.trial_id == trial_id, attempts.c.token == token, attempts.c.end.is_not(None)
            )
        ).one_or_none()
        return None if row is None else Ending(AttemptEnd(row.end), row.last_epoch)

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

    def add_epochs(self, trial_id: int, lease: int, epochs: Sequence[EpochNumbers]) -> None:
        """Add epochs to a learning curve, in order, and all of them above its last."""
        piece = {"trial_id": trial_id, "lease": lease, "first_epoch": epochs[0]["epoch"]}
        _ADD_TO_CURVE.change(self._connection, piece | {"epochs": [dict(epoch) for epoch in epochs]})
        last = {"of_trial": trial_id, "of_lease": lease, "last_epoch": epochs[-1]["epoch"]}
        _CHANGE.change(self._connection, last)

    def last_epoch(self, trial_id: int, lease: int) -> int | None:
        return self._connection.scalar(_LAST_EPOCH, {"of_trial": trial_id, "of_lease": lease})

    def curve(self, trial_id: int) -> list[EpochNumbers]:
        """The learning curve of the last attempt, by epoch."""
        last = sa.select(sa.func.max(attempts.c.lease)).where(attempts.c.trial_id == trial_id).scalar_subquery()
        rows = self._connection.execute(
            sa.select(curves.c.epochs)
            .where(curves.c.trial_id == trial_id, curves.c.lease == last)
            .order_by(curves.c.first_epoch)
        )
        return [epoch for row in rows for epoch in row.epochs]


_OF_ATTEMPT = (attempts.c.trial_id == sa.bindparam("of_trial"), attempts.c.lease == sa.bindparam("of_lease"))
_OPEN = Prepared(sa.insert(attempts))
_CHANGE = Prepared(sa.update(attempts).where(*_OF_ATTEMPT))
_LAST_EPOCH = sa.select(attempts.c.last_epoch).where(*_OF_ATTEMPT)
_ADD_TO_CURVE = Prepared(sa.insert(curves))
