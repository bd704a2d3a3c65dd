"""Answers that were given, by the Idempotency-Key of their request."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from service.storage.prepared import Prepared
from service.storage.tables import UtcDateTime, idempotency_keys

KEPT_FOR = timedelta(hours=24)
DROPPED_AT_ONCE = 1000
"""However many are old, others wait for no more than so many to go."""


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The first answer to a request, and what the request was."""

    fingerprint: str
    status: int
    body: str
    location: str | None


class IdempotencyKeys:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def find(self, key: str, now: datetime) -> StoredAnswer | None:
        row = self._connection.execute(
            sa.select(
                idempotency_keys.c.fingerprint,
                idempotency_keys.c.status,
                idempotency_keys.c.body,
                idempotency_keys.c.location,
            ).where(idempotency_keys.c.key == key, idempotency_keys.c.created_at > now - KEPT_FOR)
        ).one_or_none()
        return row and StoredAnswer(*row)

    def keep(self, key: str, answer: StoredAnswer, now: datetime) -> None:
        self._connection.execute(sa.delete(idempotency_keys).where(idempotency_keys.c.key == key))
        self._connection.execute(
            sa.insert(idempotency_keys).values(
                key=key,
                fingerprint=answer.fingerprint,
                status=answer.status,
                body=answer.body,
                location=answer.location,
                created_at=now,
            )
        )

    def drop_old(self, now: datetime) -> None:
        """Forget keys that are no longer kept, the oldest first, and a portion at a time."""
        _DROP_OLD.change(self._connection, {"before": now - KEPT_FOR})


_OLDEST = (
    sa.select(idempotency_keys.c.key)
    .where(idempotency_keys.c.created_at <= sa.bindparam("before", type_=UtcDateTime))
    .order_by(idempotency_keys.c.created_at)
    .limit(DROPPED_AT_ONCE)
)
_DROP_OLD = Prepared(sa.delete(idempotency_keys).where(idempotency_keys.c.key.in_(_OLDEST)))
