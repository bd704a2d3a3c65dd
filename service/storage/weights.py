"""What the best trial of a study has learned, as its worker packed it."""

import sqlalchemy as sa

from service.storage.tables import trials, weights


class Weights:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def put(self, study_id: str, trial_id: int, content: bytes) -> None:
        """Keep the weights of a trial in place of any there are."""
        if not self._connection.execute(_CHANGE, {"of_trial": trial_id, "content": content}).rowcount:
            row = {"study_id": study_id, "trial_id": trial_id, "content": content}
            self._connection.execute(sa.insert(weights), row)

    def of(self, trial_id: int) -> bytes | None:
        content: bytes | None = self._connection.scalar(_OF, {"of_trial": trial_id})
        return content

    def forget(self, trial_id: int) -> None:
        """Forget what an attempt has learned that did not end with a result."""
        self._connection.execute(_FORGET, {"of_trial": trial_id})

    def drop(self, study_id: str, best: int | None) -> None:
        """Forget the weights of all finished trials of a study but the best."""
        self._connection.execute(_DROP, {"of_study": study_id, "best": best or 0})


_CHANGE = sa.update(weights).where(weights.c.trial_id == sa.bindparam("of_trial"))
_FORGET = sa.delete(weights).where(weights.c.trial_id == sa.bindparam("of_trial"))
_OF = sa.select(weights.c.content).where(weights.c.trial_id == sa.bindparam("of_trial"))
# Those of trials that still run may become the best yet.
_DROP = sa.delete(weights).where(
    weights.c.study_id == sa.bindparam("of_study"),
    weights.c.trial_id != sa.bindparam("best"),
    sa.exists().where(trials.c.id == weights.c.trial_id, trials.c.finished_at.is_not(None)),
)
