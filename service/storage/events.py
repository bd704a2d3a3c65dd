"""What happened in a study, in the order in which it was committed."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa

from service.storage.prepared import Prepared
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
        sequence = int(_NEXT.rows(self._connection, {"of_study": study_id})[0]["last_event"])
        event = {"study_id": study_id, "sequence": sequence, "kind": kind, "trial": trial, "round": round, "at": at}
        _ADD.change(self._connection, event)
        return sequence


_NEXT = Prepared(
    sa.update(studies)
    .where(studies.c.id == sa.bindparam("of_study"))
    .values(last_event=studies.c.last_event + 1)
    .returning(studies.c.last_event)
)
_ADD = Prepared(sa.insert(events))
