"""The rows of deleted studies, removed a portion at a time."""

import sqlalchemy as sa

from service.storage.prepared import Prepared
from service.storage.tables import events, studies, trials


class Deletions:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def pending(self) -> bool:
        """Whether rows of deleted studies are left."""
        return bool(_PENDING.rows(self._connection, {}))

    def first(self) -> str | None:
        """The id of a deleted study of which rows are left, locked; None where another transaction has it."""
        found = _FIRST.row(self._connection, {})
        return None if found is None else str(found["id"])

    def remove(self, study_id: str, rows: int) -> bool:
        """Remove at most so many trials, with all that is theirs, or so many events; false where none are left."""
        asked = {"of_study": study_id, "rows": rows}
        return any(portion.change(self._connection, asked) for portion in (_SOME_TRIALS, _SOME_EVENTS))

    def finish(self, study_id: str) -> None:
        """Remove what is left of a study: its row, its rounds, its standings."""
        self._connection.execute(sa.delete(studies).where(studies.c.id == study_id))


_ROWS = sa.bindparam("rows", type_=sa.Integer)
_OF_STUDY = sa.bindparam("of_study", type_=sa.String)
_DELETED = sa.select(studies.c.id).where(studies.c.deleted_at.is_not(None)).order_by(studies.c.deleted_at).limit(1)
_PENDING, _FIRST = Prepared(_DELETED), Prepared(_DELETED.with_for_update(skip_locked=True))
_SOME_TRIALS = Prepared(
    sa.delete(trials).where(trials.c.id.in_(sa.select(trials.c.id).where(trials.c.study_id == _OF_STUDY).limit(_ROWS)))
)
_SOME_EVENTS = Prepared(
    sa.delete(events).where(
        events.c.study_id == _OF_STUDY,
        events.c.sequence.in_(
            sa.select(events.c.sequence)
            .where(events.c.study_id == _OF_STUDY)
            .order_by(events.c.sequence)
            .limit(_ROWS)
            .scalar_subquery()
        ),
    )
)
