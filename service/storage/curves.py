"""Learning curves by the many: how large they are, and how they are removed."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from service.domain.status import Purpose
from service.domain.trial import Trial
from service.storage.tables import attempts, curves, trials
from service.storage.trial_rows import TRIALS, trial_of


@dataclass(frozen=True, slots=True)
class Ended:
    """A place among the ends of a study's trials."""

    event: int
    number: int


FIRST = Ended(-1, -1)


class Curves:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def ended(self, study_id: str, after: Ended, limit: int) -> list[Trial]:
        """Search trials in the order of their ends, from the one after a place, with a curve or without."""
        asked = {"of_study": study_id, "event": after.event, "number": after.number, "rows": limit}
        return [trial_of(row) for row in self._connection.execute(_ENDED, asked).mappings()]

    def sizes(self, trial_ids: Sequence[int]) -> dict[int, int]:
        """About how many bytes the curves of these trials take up, of those that have any."""
        rows = self._connection.execute(_SIZES, {"of_trials": list(trial_ids)})
        return {row.trial_id: row.size for row in rows}

    def remove(self, trial_ids: Sequence[int]) -> None:
        self._connection.execute(_REMOVE, {"of_trials": list(trial_ids)})

    def is_removed(self, trial_id: int) -> bool:
        """Whether the last attempt at a trial has reported epochs that are there no more."""
        return bool(self._connection.scalar(_IS_REMOVED, {"of_trial": trial_id}))


_PLACE = (trials.c.finished_event, trials.c.number)
_ENDED = (
    TRIALS.where(
        trials.c.study_id == sa.bindparam("of_study"),
        trials.c.purpose == Purpose.SEARCH,
        sa.tuple_(*_PLACE) > sa.tuple_(sa.bindparam("event"), sa.bindparam("number")),
        trials.c.finished_event.is_not(None),
    )
    .order_by(*_PLACE)
    .limit(sa.bindparam("rows"))
)
_SIZES = (
    sa.select(curves.c.trial_id, sa.func.sum(sa.func.length(sa.cast(curves.c.epochs, sa.Text))).label("size"))
    .where(curves.c.trial_id.in_(sa.bindparam("of_trials", expanding=True)))
    .group_by(curves.c.trial_id)
)
_REMOVE = sa.delete(curves).where(curves.c.trial_id.in_(sa.bindparam("of_trials", expanding=True)))
_LAST_LEASE = sa.select(sa.func.max(attempts.c.lease)).where(attempts.c.trial_id == sa.bindparam("of_trial"))
_IS_REMOVED = sa.select(
    sa.exists().where(
        attempts.c.trial_id == sa.bindparam("of_trial"),
        attempts.c.lease == _LAST_LEASE.scalar_subquery(),
        attempts.c.last_epoch.is_not(None),
        ~sa.exists().where(curves.c.trial_id == attempts.c.trial_id, curves.c.lease == attempts.c.lease),
    )
)
