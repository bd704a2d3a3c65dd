"""What has finished of a study by number: enough to draw a few out of very many."""

from collections.abc import Callable, Iterator, Sequence

import sqlalchemy as sa

from service.domain.status import FINISHED, Purpose, TrialStatus
from service.domain.trial import Observation
from service.storage.prepared import Prepared
from service.storage.tables import trials
from service.storage.trial_rows import OBSERVED, observation_of

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
        (found,) = _LOWEST.rows(self._connection, {"of_study": study_id, "of_round": round})
        return None if found["number"] is None else int(found["number"])

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


def _first_of(status: TrialStatus) -> sa.Select[tuple[int]]:
    in_round = _numbers_of(status).where(trials.c.round == sa.bindparam("of_round"))
    return in_round.order_by(trials.c.status, trials.c.number).limit(_ONE)


def _last_of(status: TrialStatus) -> sa.Select[tuple[int]]:
    return _numbers_of(status).order_by(trials.c.status.desc(), trials.c.number.desc()).limit(_ONE)


def _numbers_of(status: TrialStatus) -> sa.Select[tuple[int]]:
    """With a status from itself to itself, and not equal to it, so that whoever asks for them can sort by it too.

    Only an index that has the status is in that order. PostgreSQL would otherwise take the one that has the numbers
    alone where most trials have that status, and read all those before the first, or after the last, that has not.
    """
    return sa.select(trials.c.number).where(
        trials.c.study_id == sa.bindparam("of_study"),
        trials.c.purpose == Purpose.SEARCH,
        trials.c.status.between(status, status),
    )


def _ends(of_status: Callable[[TrialStatus], sa.Select[tuple[int]]]) -> sa.Subquery:
    return sa.union_all(*(sa.select(of_status(status).subquery().c.number) for status in FINISHED)).subquery()


_ONE = sa.literal_column("1", sa.Integer)
_FIRST, _LAST = _ends(_first_of), _ends(_last_of)
_LOWEST = Prepared(sa.select(sa.func.min(_FIRST.c.number).label("number")))
_HIGHEST = Prepared(sa.select(sa.func.coalesce(sa.func.max(_LAST.c.number), -1).label("number")))
