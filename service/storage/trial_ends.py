"""What has finished of a study by number: enough to draw a few out of very many."""

from collections.abc import Sequence

import sqlalchemy as sa

from service.domain.status import FINISHED, Purpose
from service.domain.trial import Observation
from service.storage.prepared import Prepared
from service.storage.tables import trials
from service.storage.trial_pages import page_of
from service.storage.trial_rows import OBSERVED, observation_of

# To look up the first one only, PostgreSQL might read all numbers before it.
FIRST, LAST = 50, 50


class TrialEnds:
    """Readings of search trials that have finished."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def finished_of(self, study_id: str, numbers: Sequence[int]) -> list[Observation]:
        """Those of some numbers, by number."""
        query = OBSERVED.where(
            trials.c.study_id == study_id,
            trials.c.number.in_(numbers),
            trials.c.purpose == Purpose.SEARCH,
            trials.c.status.in_(FINISHED),
        )
        found = (observation_of(row) for row in self._connection.execute(query).mappings())
        return sorted(found, key=lambda one: one.number)

    def first_finished(self, study_id: str, round: int) -> int | None:
        """The lowest number that has finished in a round; None where none has."""
        asked = {"of_study": study_id, "of_purpose": Purpose.SEARCH, "of_round": round, "rows": FIRST}
        found = page_of(_NUMBERS, FINISHED, "number", "start", in_round=True).rows(self._connection, asked)
        return int(found[0]["number"]) if found else None

    def highest_of_the_last(self, study_id: str) -> int:
        """The highest number among those that ended last: beyond it most wait."""
        return max(int(row["number"]) for row in _LAST.rows(self._connection, {"of_study": study_id}))


_NUMBERS = sa.select(trials.c.number)
_LAST = Prepared(
    _NUMBERS.where(
        trials.c.study_id == sa.bindparam("of_study"),
        trials.c.purpose == Purpose.SEARCH,
        trials.c.finished_event >= 0,
    )
    .order_by(trials.c.finished_event.desc(), trials.c.number.desc())
    .limit(sa.literal_column(str(LAST)))
)
