"""What has finished of a study by number: enough to draw a few out of very many."""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from service.domain.status import FINISHED, Purpose, TrialStatus
from service.domain.trial import Observation
from service.storage.prepared import Prepared
from service.storage.tables import trials
from service.storage.trial_pages import page_of
from service.storage.trial_rows import OBSERVED, observation_of

# To look up the first one only, PostgreSQL might read all numbers before it.
FIRST = 50
# A statement of PostgreSQL's has at most 65,535 parameters, and one of SQLite's in some builds 32,766.
PORTION = 10_000


class TrialEnds:
    """Readings of search trials that have finished."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def finished_of(self, study_id: str, numbers: Sequence[int]) -> list[Observation]:
        """Those of some numbers, by number."""
        portions = (numbers[start : start + PORTION] for start in range(0, len(numbers), PORTION))
        found = (one for portion in portions for one in self._portion_of(study_id, portion))
        return sorted(found, key=lambda one: one.number)

    def first_finished(self, study_id: str, round: int) -> int | None:
        """The lowest number that has finished in a round; None where none has."""
        asked = {"of_study": study_id, "of_purpose": Purpose.SEARCH, "of_round": round, "rows": FIRST}
        found = page_of(_NUMBERS, FINISHED, "number", "start", in_round=True).rows(self._connection, asked)
        return int(found[0]["number"]) if found else None

    def highest_finished(self, study_id: str) -> int:
        """The highest number that has finished; -1 where none has."""
        (found,) = _HIGHEST.rows(self._connection, {"of_study": study_id})
        return int(found["number"])

    def _portion_of(self, study_id: str, numbers: Sequence[int]) -> Iterator[Observation]:
        query = OBSERVED.where(
            trials.c.study_id == study_id,
            trials.c.number.in_(numbers),
            trials.c.purpose == Purpose.SEARCH,
            trials.c.status.in_(FINISHED),
        )
        return map(observation_of, self._connection.execute(query).mappings())


def _last_of(status: TrialStatus) -> sa.Select[tuple[int]]:
    of_status = _NUMBERS.where(
        trials.c.study_id == sa.bindparam("of_study"),
        trials.c.purpose == Purpose.SEARCH,
        # As a range, in whose order only the index with the status has them: PostgreSQL might take the one of the
        # numbers alone otherwise, and read all that wait at their end.
        trials.c.status.between(status, status),
    )
    return of_status.order_by(trials.c.status.desc(), trials.c.number.desc()).limit(sa.literal_column("1"))


_NUMBERS = sa.select(trials.c.number)
_LAST = sa.union_all(*(sa.select(_last_of(status).subquery().c.number) for status in FINISHED)).subquery()
_HIGHEST = Prepared(sa.select(sa.func.coalesce(sa.func.max(_LAST.c.number), -1).label("number")))
