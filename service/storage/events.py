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
    CONFIRMATION = "confirmation"
    FINAL_TEST = "final_test"
    TEST_OPENED = "test_opened"


class Events:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def append(
        self, study_id: str, kind: EventKind, at: datetime, *, trial: int | None = None, round: int | None = None
    ) -> int:
        """Note a fact and return its sequence number, which grows by one each time within a study."""
        sequence = int(self._connection.scalar(_NEXT, {"of_study": study_id}) or 0)
        event = {"study_id": study_id, "sequence": sequence, "kind": kind, "trial": trial, "round": round, "at": at}
        self._connection.execute(_ADD, event)
        return sequence


_NEXT = (
    sa.update(studies)
    .where(studies.c.id == sa.bindparam("of_study"))
    .values(last_event=studies.c.last_event + 1, idle=False)
    .returning(studies.c.last_event)
)
_ADD = sa.insert(events)
