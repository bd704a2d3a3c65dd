"""The final test of a study: one at most, and when it opened the test set."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from service.storage.tables import final_tests


@dataclass(frozen=True, slots=True)
class FinalTest:
    trial_id: int
    opened_at: datetime | None


class FinalTests:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, study_id: str, trial_id: int) -> None:
        self._connection.execute(sa.insert(final_tests), {"study_id": study_id, "trial_id": trial_id})

    def of(self, study_id: str) -> FinalTest | None:
        row = self._connection.execute(_OF, {"of_study": study_id}).one_or_none()
        return None if row is None else FinalTest(*row)

    def open(self, study_id: str, now: datetime) -> bool:
        """Note that the test set is opened; false where it was before."""
        return self._connection.execute(_OPEN, {"of_study": study_id, "opened_at": now}).rowcount == 1


_OF = sa.select(final_tests.c.trial_id, final_tests.c.opened_at).where(
    final_tests.c.study_id == sa.bindparam("of_study")
)
_OPEN = sa.update(final_tests).where(
    final_tests.c.study_id == sa.bindparam("of_study"), final_tests.c.opened_at.is_(None)
)
