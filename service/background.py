"""What the server does by itself, again and again: it takes back what has expired, and removes what is deleted."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from time import monotonic, thread_time

from service.operations.conclude import conclude
from service.operations.expire import expire_leases, lengthen_leases, refresh_leases
from service.operations.remove import remove_portion
from service.storage.attendance import Absence, Attendance
from service.storage.condition import StorageUnavailable
from service.storage.store import Clock, Database, Store

log = logging.getLogger("shibori.background")
Task = Callable[[], None]
Note = Callable[[datetime], None]
InStudy = Callable[[str, Store], datetime]
REST = 4
"""So many times as long as a task has computed, it rests."""
PORTIONS_A_TURN = 100
# Suggestions for many studies may take minutes; a turn that takes longer will hardly end.
LONGEST_TURN_SECONDS = 300.0


class Repeated:
    """A task in a thread of its own, done again after a pause, or sooner when woken."""

    def __init__(self, name: str, task: Task, pause_seconds: float) -> None:
        self._name, self._task, self._pause = name, task, pause_seconds
        self._wake, self._end = threading.Event(), threading.Event()
        self._turned_at, self._rested_at = monotonic(), 0.0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> "Repeated":
        self._thread.start()
        return self

    def wake(self) -> None:
        self._wake.set()

    def rest(self) -> None:
        """For the task, between its parts: however much it has to do, it leaves the processor to those who answer."""
        self.pause(REST * (thread_time() - self._rested_at))
        self._rested_at = thread_time()

    def pause(self, seconds: float) -> bool:
        """For the task, where it has held up others; true, and cut short, when it is to end."""
        return self._end.wait(seconds)

    def trouble(self) -> str | None:
        """What keeps the task from being done."""
        if not self._thread.is_alive():
            return "its thread has ended"
        since = monotonic() - self._turned_at - self._pause
        return f"its last turn ended {since:.0f} s ago" if since > LONGEST_TURN_SECONDS else None

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.is_set():
            self._wake.wait(self._pause)
            self._wake.clear()
            self._rested_at = thread_time()
            if not self._end.is_set():
                self._once()
            self.rest()

    def _once(self) -> None:
        try:
            self._task()
        except StorageUnavailable:
            log.debug("%s has to wait for the database", self._name)
        except Exception:
            log.exception("%s failed and will be tried again", self._name)
        self._turned_at = monotonic()


class Remover:
    """Removes the rows of deleted studies while its server leads, and lets others write for as long in between."""

    def __init__(self, database: Database, leads: Callable[[], bool], pause: Callable[[float], bool]) -> None:
        self._database, self._leads, self._pause = database, leads, pause

    def remove(self) -> None:
        for _ in range(PORTIONS_A_TURN):
            # To find out that there is none is no reason to write.
            if not self._leads() or not self._database.read(lambda store: store.deletions.pending()):
                return
            start = monotonic()
            if not self._database.write(remove_portion) or self._pause(monotonic() - start):
                return


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
            self._in_each_with_leases(refresh_leases, self._attendance.note)

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
        self._one_by_one(self._database.read(_studies_to_tidy).studies, _tidy, self._attendance.note)
        self._attendance.note(self._database.write(_forget_old_keys))

    def _return(self, now: datetime) -> None:
        absence = Absence(self._attendance, now)
        self._in_each_with_leases(partial(lengthen_leases, absence.missed), absence.note)
        absence.end(self._clock())

    def _in_each_with_leases(self, work: InStudy, note: Note) -> None:
        self._one_by_one(self._database.read(lambda store: store.trials.studies_with_running()), work, note)

    def _one_by_one(self, studies: Sequence[str], work: InStudy, note: Note) -> None:
        """One study a transaction; the others have their turn also where one fails."""
        for study_id in studies:
            try:
                note(self._database.write(partial(work, study_id), patient=False))
            except Exception as error:
                if isinstance(error, StorageUnavailable) and self._database.trouble is not None:
                    raise
                _tell_of(study_id, error)
                # Whoever keeps it locked keeps it from its workers too; those of others could renew meanwhile.
                self._attendance.out_of_reach(study_id, now := self._clock())
                note(now)

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
