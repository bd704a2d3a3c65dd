"""Where runs stood at the epochs at which a rule of early stopping looks."""

import sqlalchemy as sa

from service.storage.tables import standings

MOST_COMPARED = 1_000
"""A run is compared with so many of the latest others, so that a look costs the same in a long study."""


class Standings:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def note(self, study_id: str, epoch: int, bracket: int, trial_id: int, value: float) -> None:
        """Where a run stands, of which more is better; a later attempt at the trial takes the place of an earlier."""
        place = {"of_study": study_id, "of_epoch": epoch, "of_bracket": bracket, "of_trial": trial_id}
        self._connection.execute(_FORGET, place)
        row = {"study_id": study_id, "epoch": epoch, "bracket": bracket, "trial_id": trial_id, "value": value}
        self._connection.execute(_NOTE, row)

    def clear(self, study_id: str) -> None:
        self._connection.execute(sa.delete(standings).where(standings.c.study_id == study_id))

    def compare(self, study_id: str, epoch: int, bracket: int, trial_id: int, value: float) -> tuple[int, int]:
        """How many other runs have been there, and how many of them were better."""
        asked = {"of_study": study_id, "of_epoch": epoch, "of_bracket": bracket, "of_trial": trial_id, "than": value}
        others, better = self._connection.execute(_COMPARE, asked).one()
        return int(others), int(better or 0)


_AT = (
    standings.c.study_id == sa.bindparam("of_study"),
    standings.c.epoch == sa.bindparam("of_epoch"),
    standings.c.bracket == sa.bindparam("of_bracket"),
)
_FORGET = sa.delete(standings).where(*_AT, standings.c.trial_id == sa.bindparam("of_trial"))
_NOTE = sa.insert(standings)
_OTHERS = (
    sa.select(standings.c.value)
    .where(*_AT, standings.c.trial_id != sa.bindparam("of_trial"))
    .order_by(standings.c.trial_id.desc())
    .limit(MOST_COMPARED)
    .subquery()
)
_COMPARE = sa.select(sa.func.count(), sa.func.sum(sa.case((_OTHERS.c.value > sa.bindparam("than"), 1), else_=0)))
