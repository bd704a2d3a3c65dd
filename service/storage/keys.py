"""Answers that were given, by the Idempotency-Key of their request."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from service.storage.tables import idempotency_keys

KEPT_FOR = timedelta(hours=24)


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
        self._connection.execute(sa.delete(idempotency_keys).where(idempotency_keys.c.created_at <= now - KEPT_FOR))
