"""What a server that leads does about leases: it takes back what has run out, and makes good what nobody could use."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from service.domain.study import RENEWALS_PER_LEASE
from service.operations.conclude import conclude
from service.operations.expire import expire_leases, lengthen_leases, refresh_leases
from service.storage.attendance import Absence, Attendance
from service.storage.condition import StorageUnavailable
from service.storage.store import Clock, Database, Store

log = logging.getLogger("shibori.sweeping")
Note = Callable[[datetime], None]
InStudy = Callable[[str, Store], datetime]
# Longer than any lease.
UNKNOWN = timedelta(days=3650)


class Sweeper:
    """Sweeps while its server leads, and lengthens every lease by what the server was away, up to a whole lease.

    Be it that the server, its database or its machine was: workers had nobody to renew their leases with. What it notes
    in `attendance` after each of its transactions is what claims go by too.
    """

    def __init__(self, database: Database, clock: Clock, leads: Callable[[], bool], attendance: Attendance) -> None:
        self._database, self._clock, self._leads, self._attendance = database, clock, leads, attendance
        self._beginning = threading.Lock()

    def begin(self, *, unless_begun: bool = False) -> None:
        """Count the leases from now on: nobody knows how long there was no server."""
        # A server that comes to lead while it joins does this, and its own thread may find nothing begun yet.
        with self._beginning:
            if unless_begun and self._attendance.begun:
                return
            self._attendance.begin(self._clock())
            # Which of them it cannot look at has a whole lease to come too.
            self._in_each_with_leases(refresh_leases, self._attendance.note, since=self._clock() - UNKNOWN)

    def sweep(self) -> None:
        if not self._leads():
            self._stand_by()
            return
        self.begin(unless_begun=True)
        if self._attendance.interrupted(now := self._clock()):
            self._return(now)
        self.tidy()

    def tidy(self) -> None:
        """Take back what expired, end studies whose time is up, forget old idempotency keys."""
        self._reach_again()
        lost = self._attendance.out_of_reach
        for study_id in self._database.read(_studies_to_tidy).studies:
            if study_id not in lost:
                self._done(study_id, _tidy, self._attendance.note)
        self._attendance.note(self._database.write(_forget_old_keys))

    def _reach_again(self) -> None:
        """Look at studies that could not be looked at, and give their leases that time back."""
        for study_id, since in self._attendance.out_of_reach.items():
            lost = partial(self._lost, study_id, since, max(self._clock() - since, timedelta()))
            if self._done(study_id, partial(lengthen_leases, lost), self._attendance.note):
                self._attendance.regain(study_id, self._clock())

    def _lost(self, study_id: str, since: datetime, lost: timedelta, lease_seconds: float) -> timedelta:
        """With the time between two renewals, for it was noticed only when some leases had run out already.

        Not again and again, or whoever keeps a study locked now and then would keep every lease in it.
        """
        more = self._attendance.was_within_reach(study_id, lease_seconds, since)
        return lost + timedelta(seconds=lease_seconds / RENEWALS_PER_LEASE) if more else lost

    def _return(self, now: datetime) -> None:
        absence = Absence(self._attendance, now)
        self._in_each_with_leases(partial(lengthen_leases, absence.missed), absence.note, since=absence.since)
        absence.end(self._clock())

    def _in_each_with_leases(self, work: InStudy, note: Note, since: datetime) -> None:
        for study_id in self._database.read(lambda store: store.trials.studies_with_running()):
            self._done(study_id, work, note, since)

    def _done(self, study_id: str, work: InStudy, note: Note, since: datetime | None = None) -> bool:
        """One study a transaction; whether it could be looked at, for the others have their turn also where one fails.

        Where it could not, it is out of reach, from now on or since it was.
        """
        since = since or self._clock()
        try:
            note(self._database.write(partial(work, study_id), patient=False))
        except Exception as error:
            if isinstance(error, StorageUnavailable) and self._database.trouble is not None:
                raise
            _tell_of(study_id, error)
            # Whoever keeps it locked keeps it from its workers too; those of others could renew meanwhile.
            self._attendance.lose(study_id, since)
            note(self._clock())
            return False
        return True

    def _stand_by(self) -> None:
        """See whether the database is there; what expires is the leader's to sweep."""
        if self._database.trouble is not None:
            # Writes nothing of its own otherwise, and would never learn that it can.
            now = self._database.write(_forget_old_keys)
        else:
            now = self._database.read(_studies_to_tidy).at
        self._attendance.stand_by(now)


@dataclass(frozen=True, slots=True)
class _Untidy:
    studies: list[str]
    at: datetime


def _tell_of(study_id: str, error: Exception) -> None:
    """In one line where somebody keeps this one study locked, which may last."""
    unforeseen = None if isinstance(error, StorageUnavailable) else error
    log.warning("the leases of study %s will be looked at again: %s", study_id, error, exc_info=unforeseen)


def _forget_old_keys(store: Store) -> datetime:
    store.keys.drop_old(store.now)
    return store.now


def _studies_to_tidy(store: Store) -> _Untidy:
    found = {*store.trials.studies_with_expired(store.now), *store.studies.out_of_time(store.now)}
    return _Untidy(sorted(found), store.now)


def _tidy(study_id: str, store: Store) -> datetime:
    # One study a transaction: who has one locked must not wait for another.
    study = store.studies.lock(study_id, wait=True)
    if study is not None:
        expire_leases(store, study)
        conclude(store, study_id)
    return store.now
