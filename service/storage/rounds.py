"""The rounds of a study."""

from functools import lru_cache

import sqlalchemy as sa
from pydantic import TypeAdapter

from service.domain.rounds import Round
from service.domain.space import Parameter, Space
from service.storage.prepared import Prepared, Record
from service.storage.tables import rounds

_RANGES: TypeAdapter[dict[str, Parameter]] = TypeAdapter(dict[str, Parameter])


@lru_cache(maxsize=1024)
def space_from_json(text: str) -> Space:
    """A space as `space_to_json` wrote it."""
    return Space(_RANGES.validate_json(text))


def space_to_json(space: Space) -> str:
    return _RANGES.dump_json(dict(space.parameters), exclude_none=True).decode()


class Rounds:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, study_id: str, opened: Round) -> None:
        self._connection.execute(
            sa.insert(rounds).values(
                study_id=study_id,
                number=opened.number,
                parent=opened.parent,
                ranges=space_to_json(opened.space),
                origin=opened.origin,
                evidence=opened.evidence,
                planned=opened.planned,
                position=opened.position,
                finished=0,
                opened_at=opened.opened_at,
            )
        )

    def get(self, study_id: str, number: int) -> Round:
        return _round(_ONE.rows(self._connection, {"of_study": study_id, "of_number": number})[0])

    def all(self, study_id: str) -> list[Round]:
        rows = self._connection.execute(_ROUNDS.where(_of(study_id)).order_by(rounds.c.number))
        return [_round(dict(row)) for row in rows.mappings()]

    def chain(self, study_id: str, number: int) -> list[int]:
        """The rounds from the first to one of them, each made from the one before it."""
        if number == 0:
            return [0]
        parents = {row["number"]: row["parent"] for row in _PARENTS.rows(self._connection, {"of_study": study_id})}
        chain = [number]
        while (parent := parents[chain[-1]]) is not None:
            chain.append(parent)
        return chain[::-1]

    def move_to(self, study_id: str, number: int, position: int) -> None:
        """Note where the search left off in its enumeration of points."""
        self._update(study_id, number, position=position)

    def replan(self, study_id: str, number: int, planned: int) -> None:
        """Expect another number of trials in a round, and let the search enumerate anew."""
        self._update(study_id, number, planned=planned, position=0)

    def last(self, study_id: str) -> int:
        """The highest number of a round."""
        return int(_LAST.rows(self._connection, {"of_study": study_id})[0]["last"] or 0)

    def count_finished(self, study_id: str, number: int) -> int:
        """One more trial of the round has finished; returns how many have."""
        counted = _ONE_MORE_FINISHED.rows(self._connection, {"of_study": study_id, "of_number": number})
        return int(counted[0]["finished"])

    def _update(self, study_id: str, number: int, **values: object) -> None:
        _CHANGE.change(self._connection, {"of_study": study_id, "of_number": number, **values})


_OF_ROUND = (rounds.c.study_id == sa.bindparam("of_study"), rounds.c.number == sa.bindparam("of_number"))
_ROUNDS = sa.select(
    rounds.c.number,
    rounds.c.parent,
    rounds.c.ranges,
    rounds.c.origin,
    rounds.c.evidence,
    rounds.c.planned,
    rounds.c.position,
    rounds.c.opened_at,
)
_ONE = Prepared(_ROUNDS.where(*_OF_ROUND))
_PARENTS = Prepared(sa.select(rounds.c.number, rounds.c.parent).where(rounds.c.study_id == sa.bindparam("of_study")))
_LAST = Prepared(
    sa.select(sa.func.max(rounds.c.number).label("last")).where(rounds.c.study_id == sa.bindparam("of_study"))
)
_UPDATE = sa.update(rounds).where(*_OF_ROUND)
_CHANGE = Prepared(_UPDATE)
_ONE_MORE_FINISHED = Prepared(_UPDATE.values(finished=rounds.c.finished + 1).returning(rounds.c.finished))


def _of(study_id: str) -> sa.ColumnElement[bool]:
    return rounds.c.study_id == study_id


def _round(row: Record) -> Round:
    return Round(space=space_from_json(row.pop("ranges")), **row)
