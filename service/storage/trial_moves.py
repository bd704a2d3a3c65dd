"""Changes of a trial: each one is a conditional statement, and keeps the counts of its study with it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from service.domain.errors import LeaseLost
from service.domain.space import Scalar, key_of
from service.domain.status import TRIAL_TRANSITIONS, Purpose, TrialStatus
from service.domain.trial import Origin, Trial
from service.storage.tables import trial_counts, trials


class TrialMoves:
    """From one status to the next, and what may change without one."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def start(
        self, trial: Trial, *, token: str, expires_at: datetime, worker: str, claim_request: str, now: datetime
    ) -> int:
        """waiting -> running under a new lease; returns the number of that lease."""
        move = self._move(trial, TrialStatus.RUNNING).values(
            attempt=trials.c.attempt + 1,
            leases=trials.c.leases + 1,
            lease_token=token,
            lease_expires_at=expires_at,
            claim_request=claim_request,
            worker=worker,
            started_at=trial.started_at or now,
        )
        return self._apply(move, trial, TrialStatus.RUNNING)

    def renew(self, trial_id: int, expires_at: datetime) -> None:
        self._connection.execute(
            sa.update(trials)
            .where(trials.c.id == trial_id, trials.c.status == TrialStatus.RUNNING)
            .values(lease_expires_at=expires_at)
        )

    def wait_again(self, trial: Trial, *, counted: bool) -> None:
        """running -> waiting; an attempt that does not count is taken off again."""
        self._leave_running(trial, TrialStatus.WAITING, attempt=trials.c.attempt - (0 if counted else 1))

    def finish(self, trial: Trial, status: TrialStatus, now: datetime, **values: object) -> None:
        """running -> a final status."""
        self._leave_running(trial, status, finished_at=now, **values)

    def cancel_waiting(self, trial: Trial, now: datetime) -> None:
        self._apply(self._move(trial, TrialStatus.CANCELLED).values(finished_at=now), trial, TrialStatus.CANCELLED)

    def revive(self, trial: Trial, attempts_allowed: int) -> None:
        """failed or cancelled -> waiting, with more attempts."""
        move = self._move(trial, TrialStatus.WAITING).values(
            attempts_allowed=trials.c.attempt + attempts_allowed,
            finished_at=None,
            failure_reason=None,
            failure_message=None,
            stop_reason=None,
        )
        self._apply(move, trial, TrialStatus.WAITING)

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

    def _move(self, trial: Trial, status: TrialStatus) -> sa.Update:
        assert status in TRIAL_TRANSITIONS[trial.status], f"{trial.status} -> {status}"
        return (
            sa.update(trials)
            .where(trials.c.id == trial.id, trials.c.status == trial.status)
            .values(status=status)
            .returning(trials.c.leases)
        )

    def _apply(self, move: sa.Update, trial: Trial, status: TrialStatus) -> int:
        """Carry out a change of status, or refuse it where another one came first; returns the trial's leases."""
        leases = self._connection.scalar(move)
        if leases is None:
            raise LeaseLost(trial.id)
        self._count(trial.study_id, trial.purpose, trial.status, -1)
        self._count(trial.study_id, trial.purpose, status, 1)
        return int(leases)

    def _leave_running(self, trial: Trial, status: TrialStatus, **values: object) -> None:
        move = self._move(trial, status).where(trials.c.lease_token == trial.lease_token)
        idle = {"lease_token": None, "lease_expires_at": None, "claim_request": None}
        self._apply(move.values(**idle, **values), trial, status)

    def _count(self, study_id: str, purpose: Purpose, status: TrialStatus, change: int) -> None:
        self._connection.execute(
            sa.update(trial_counts)
            .where(
                trial_counts.c.study_id == study_id,
                trial_counts.c.purpose == purpose,
                trial_counts.c.status == status,
            )
            .values(trials=trial_counts.c.trials + change)
        )
