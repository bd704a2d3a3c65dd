"""The servers of a PostgreSQL database: the one whose session holds a lock leads, and all listen on one channel."""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL

from service.storage.postgresql_engine import Session, own_session
from service.storage.postgresql_teller import CHANNEL, Teller
from service.storage.store import Clock, Listener, Signal

log = logging.getLogger("shibori.membership")

# Any numbers will do, as long as all servers take the same ones.
LEADING, JOINING = 5_040_742_652, 5_040_742_653
BEAT_SECONDS = 1.0
HEAR_SECONDS = 0.2
TRUSTED_SECONDS = 3.0
"""So long after its last word from the database a leader may still act as one."""
EXACT_SECONDS = 0.5
"""An answer that took longer says too little about the time on the other side, unless there is no other."""
LEAVE_SECONDS = 2.0
LEFT = "left"


class PostgresqlMembership:
    """Keeps one session, in which it asks for the lead, hears the others and reads the database's clock.

    `hear` is told what other servers have committed, `elected` that this one leads from now on.
    """

    def __init__(
        self,
        url: URL,
        clock: Clock,
        hear: Listener,
        elected: Callable[[], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url, self._clock, self._monotonic = url, _steady(clock), monotonic
        self._hear, self._elected = hear, elected
        self._name = secrets.token_hex(8)
        self._teller = Teller(url, self._name)
        self._holds, self._beat_at = False, 0.0
        self._ahead: timedelta | None = None
        self._leaving = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def leads(self) -> bool:
        return self._holds and self._monotonic() - self._beat_at < TRUSTED_SECONDS

    def now(self) -> datetime:
        """The time by the database's clock, which its servers have in common."""
        return self._clock() + (self._ahead or timedelta())

    def join(self, first: Callable[[], None]) -> None:
        with own_session(self._url) as joining:
            # Whoever joins beside the first waits until that one has done what comes first.
            joining.execute("SELECT pg_advisory_lock(%s)", [JOINING])
            session = self._session()
            self._thread = threading.Thread(target=self._stay, args=(session,), name="membership", daemon=True)
            self._thread.start()
            self._teller.start()
            if self._holds:
                first()

    def tell(self, signals: frozenset[Signal]) -> None:
        self._teller.tell(signals)

    def leave(self) -> None:
        self._leaving.set()
        self._teller.close()
        if self._thread is not None:
            self._thread.join(LEAVE_SECONDS)

    def _session(self) -> Session:
        session = own_session(self._url)
        try:
            session.execute(_NOTICE_LOSS)
            session.execute(_LISTEN)
            self._beat(session)
        except BaseException:
            session.close()
            raise
        return session

    def _stay(self, session: Session | None) -> None:
        while session is not None:
            try:
                with session:
                    self._attend(session)
            except Exception as error:  # noqa: BLE001 (whatever it was, the others are to be heard again)
                log.warning("this server has lost the others: %s", error)
                self._holds = False
            session = self._session_again()

    def _session_again(self) -> Session | None:
        while not self._leaving.wait(BEAT_SECONDS):
            try:
                session = self._session()
            except psycopg.Error:
                continue
            log.info("this server hears the others again")
            # What they have told meanwhile was not heard.
            self._hear(frozenset(Signal))
            return session
        return None

    def _attend(self, session: Session) -> None:
        while not self._leaving.is_set():
            if self._monotonic() - self._beat_at >= BEAT_SECONDS:
                self._beat(session)
            for said in session.notifies(timeout=HEAR_SECONDS):
                self._heard(said.payload)
        if self._holds:
            self._holds = False
            session.execute("SELECT pg_advisory_unlock(%s)", [LEADING])
            session.execute("SELECT pg_notify(%s, %s)", [CHANNEL, f"{self._name} {LEFT}"])

    def _heard(self, payload: str) -> None:
        name, _, said = payload.partition(" ")
        words = said.split()
        if name == self._name:
            return
        if LEFT in words:
            self._beat_at -= BEAT_SECONDS
        if signals := frozenset(signal for signal in Signal if signal in words):
            self._hear(signals)

    def _beat(self, session: Session) -> None:
        """Ask for the lead, or show that it is still held."""
        began_at, began = self._monotonic(), self._clock()
        statement = _STILL_HELD if self._holds else _ASK
        holds, there = session.execute(statement).fetchone() or (False, began)
        self._note_time(began, there, self._monotonic() - began_at)
        newly, self._holds, self._beat_at = holds and not self._holds, holds, began_at
        if newly:
            log.info("this server leads: it sweeps and suggests")
            self._elected()

    def _note_time(self, here: datetime, there: datetime, took_seconds: float) -> None:
        if self._ahead is None or took_seconds < EXACT_SECONDS:
            self._ahead = there - here - timedelta(seconds=took_seconds / 2)


def _steady(clock: Clock) -> Clock:
    """The time that a clock tells now, going on by itself, so that it does not step when that clock is set."""
    began, passed = clock(), _seconds()
    return lambda: began + timedelta(seconds=_seconds() - passed)


def _seconds() -> float:
    """Counted while the machine sleeps too, where its system can."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


# The lock of a server whose machine is gone is free within seconds.
_NOTICE_LOSS = sql.SQL("SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3")
_LISTEN = sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL))
_ASK = sql.SQL("SELECT pg_try_advisory_lock({}), clock_timestamp()").format(LEADING)
_STILL_HELD = sql.SQL("SELECT true, clock_timestamp()")
