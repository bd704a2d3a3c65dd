"""Changes of a trial: each one is a conditional statement, and keeps the counts of its study with it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from service.domain.errors import LeaseLost
from service.domain.space import Scalar, key_of
from service.domain.status import TRIAL_TRANSITIONS, FailureReason, Purpose, TrialStatus
from service.domain.trial import Origin, Trial
from service.storage.prepared import Prepared
from service.storage.tables import trial_counts, trials


class TrialMoves:
    """From one status to the next, and what may change without one; a move returns the trial as it stands after."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def start(
        self, trial: Trial, *, token: str, expires_at: datetime, worker: str, claim_request: str, now: datetime
    ) -> Trial:
        """waiting -> running under a new lease."""
        started = replace(
            trial,
            status=TrialStatus.RUNNING,
            attempt=trial.attempt + 1,
            leases=trial.leases + 1,
            lease_token=token,
            lease_expires_at=expires_at,
            worker=worker,
            started_at=trial.started_at or now,
        )
        return self._move(trial, started, claim_request=claim_request)

    def renew(self, trial: Trial, expires_at: datetime) -> None:
        """Let a lease last longer, while it is the one in force."""
        held = {"of_trial": trial.id, "under": trial.lease_token, "lease_expires_at": expires_at}
        if _RENEW.change(self._connection, held) != 1:
            raise LeaseLost(trial.id)

    def renew_all(self, study_id: str, expires_at: datetime) -> None:
        """The same for every trial of a study that runs."""
        _RENEW_ALL.change(self._connection, {"of_study": study_id, "lease_expires_at": expires_at})

    def wait_again(self, trial: Trial, *, counted: bool) -> Trial:
        """running -> waiting; an attempt that does not count is taken off again."""
        attempt = trial.attempt - (0 if counted else 1)
        waiting = replace(trial, status=TrialStatus.WAITING, attempt=attempt, lease_token=None, lease_expires_at=None)
        return self._move(trial, waiting, claim_request=None)

    def finish(
        self,
        trial: Trial,
        status: TrialStatus,
        now: datetime,
        *,
        event: int,
        value: float | None = None,
        samples: int | None = None,
        failure: tuple[FailureReason, str] | None = None,
        stop_reason: str | None = None,
    ) -> Trial:
        """running -> a final status, noted under a number among the events of its study."""
        reason, message = failure or (None, None)
        finished = replace(
            trial,
            status=status,
            value=value,
            samples=samples,
            failure_reason=reason,
            failure_message=message,
            stop_reason=stop_reason,
            finished_at=now,
            finished_event=event,
            lease_token=None,
            lease_expires_at=None,
        )
        return self._move(trial, finished, claim_request=None)

    def cancel_waiting(self, trial: Trial, now: datetime, *, event: int) -> Trial:
        cancelled = replace(trial, status=TrialStatus.CANCELLED, finished_at=now, finished_event=event)
        return self._move(trial, cancelled)

    def revive(self, trial: Trial, attempts_allowed: int) -> Trial:
        """failed or cancelled -> waiting, with more attempts; from then on its values are wanted by hand."""
        revived = replace(
            trial,
            status=TrialStatus.WAITING,
            origin=Origin.ENQUEUED,
            attempts_allowed=trial.attempt + attempts_allowed,
            finished_at=None,
            finished_event=None,
            failure_reason=None,
            failure_message=None,
            stop_reason=None,
            stale=False,
        )
        return self._move(trial, revived)

    def ask_to_stop(self, trial_ids: Sequence[int], reason: str) -> None:
        self._connection.execute(
            sa.update(trials)
            .where(trials.c.id.in_(trial_ids), trials.c.status == TrialStatus.RUNNING)
            .values(stop_reason=reason)
        )

    def withdraw_unclaimed(self, study_id: str) -> None:
        """Give out no suggestion that was made before now, until it has been made anew."""
        self._connection.execute(
            sa.update(trials)
            .where(
                trials.c.study_id == study_id,
                trials.c.purpose == Purpose.SEARCH,
                trials.c.status == TrialStatus.WAITING,
                trials.c.origin == Origin.SUGGESTED,
                trials.c.leases == 0,
            )
            .values(stale=True)
        )

    def replace_unclaimed(
        self, trial_id: int, params: Mapping[str, Scalar], round: int, provenance: Mapping[str, object]
    ) -> bool:
        """Put a new suggestion in the place of one that nobody has claimed; false where somebody has."""
        replaced = self._connection.execute(
            sa.update(trials)
            .where(trials.c.id == trial_id, trials.c.status == TrialStatus.WAITING, trials.c.leases == 0)
            .values(params=dict(params), point=key_of(params), round=round, provenance=provenance, stale=False)
        )
        return replaced.rowcount == 1

    def _move(self, before: Trial, after: Trial, **columns: object) -> Trial:
        """Change the status, or refuse it where another change came first."""
        assert after.status in TRIAL_TRANSITIONS[before.status], f"{before.status} -> {after.status}"
        values = {name: getattr(after, name) for name in _MOVING if getattr(after, name) != getattr(before, name)}
        held = {"of_trial": before.id, "was": before.status, "under": before.lease_token}
        if _MOVE.change(self._connection, {**held, **values, **columns}) != 1:
            raise LeaseLost(before.id)
        self._recount(before, after)
        return after

    def _recount(self, before: Trial, after: Trial) -> None:
        _RECOUNT.change(
            self._connection,
            {
                "of_study": before.study_id,
                "of_purpose": before.purpose,
                "was": before.status,
                "becomes": after.status,
            },
        )

    def _count(self, study_id: str, purpose: Purpose, status: TrialStatus, change: int) -> None:
        _COUNT.change(
            self._connection, {"of_study": study_id, "of_purpose": purpose, "of_status": status, "change": change}
        )


# Statements that every trial passes through are built once: building one costs more than running it.
_MOVING = (
    "status",
    "origin",
    "value",
    "samples",
    "attempt",
    "attempts_allowed",
    "leases",
    "worker",
    "lease_token",
    "lease_expires_at",
    "stop_reason",
    "failure_reason",
    "failure_message",
    "started_at",
    "finished_at",
    "finished_event",
    "stale",
)
_MOVE = Prepared(
    sa.update(trials).where(
        trials.c.id == sa.bindparam("of_trial"),
        trials.c.status == sa.bindparam("was"),
        trials.c.lease_token.is_not_distinct_from(sa.bindparam("under")),
    )
)
_RENEW = Prepared(
    sa.update(trials).where(trials.c.id == sa.bindparam("of_trial"), trials.c.lease_token == sa.bindparam("under"))
)
# The condition on the time has the index of those that run serve it.
_RENEW_ALL = Prepared(
    sa.update(trials).where(
        trials.c.study_id == sa.bindparam("of_study"),
        trials.c.lease_expires_at.is_not(None),
        trials.c.status == TrialStatus.RUNNING,
    )
)
_COUNTS_OF_PURPOSE = sa.update(trial_counts).where(
    trial_counts.c.study_id == sa.bindparam("of_study"), trial_counts.c.purpose == sa.bindparam("of_purpose")
)
_RECOUNT = Prepared(
    _COUNTS_OF_PURPOSE.where(
        sa.or_(trial_counts.c.status == sa.bindparam("was"), trial_counts.c.status == sa.bindparam("becomes"))
    ).values(trials=trial_counts.c.trials + sa.case((trial_counts.c.status == sa.bindparam("was"), -1), else_=1))
)
_COUNT = Prepared(
    _COUNTS_OF_PURPOSE.where(trial_counts.c.status == sa.bindparam("of_status")).values(
        trials=trial_counts.c.trials + sa.bindparam("change")
    )
)
