"""What happened in a study, in the order in which it was committed."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa

from service.storage.tables import events, studies


class EventKind(StrEnum):
    SUBMITTED = "submitted"
    STATUS = "status"
    CHANGED = "changed"
    FINISHED = "finished"
    RETRIED = "retried"
    IMPORTED = "imported"
    ROUND = "round"


class Events:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def append(
        self, study_id: str, kind: EventKind, at: datetime, *, trial: int | None = None, round: int | None = None
    ) -> int:
        """Note a fact and return its sequence number, which grows by one each time within a study."""
        number = self._connection.scalar(
            sa.update(studies)
            .where(studies.c.id == study_id)
            .values(last_event=studies.c.last_event + 1)
            .returning(studies.c.last_event)
        )
        sequence = int(number or 0)
        self._connection.execute(
            sa.insert(events).values(study_id=study_id, sequence=sequence, kind=kind, trial=trial, round=round, at=at)
        )
        return sequence
