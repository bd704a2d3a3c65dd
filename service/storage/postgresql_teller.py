"""Tells the other servers of a PostgreSQL database what this one has committed, beside the requests that did it."""

import logging
import threading

import psycopg
from sqlalchemy.engine import URL

from service.storage.postgresql_engine import Session, own_session
from service.storage.store import Signal

log = logging.getLogger("shibori.membership")

CHANNEL = "shibori"
PAUSE_SECONDS = 0.005
"""At least so long between two messages: what is committed meanwhile shares the next one."""
LAST_SECONDS = AGAIN_SECONDS = 1.0


class Teller:
    """What it cannot tell now it tells later: whoever waits for it asks by itself once a second."""

    def __init__(self, url: URL, name: str) -> None:
        self._url, self._name = url, name
        self._lock, self._untold = threading.Lock(), frozenset[Signal]()
        self._wake, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="teller", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def tell(self, signals: frozenset[Signal]) -> None:
        if signals:
            with self._lock:
                self._untold |= signals
            self._wake.set()

    def close(self) -> None:
        """Tell nothing more."""
        self._closing.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(LAST_SECONDS)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                with own_session(self._url) as session:
                    self._tell_in(session)
            except psycopg.Error as error:
                log.info("other servers could not be told: %s", error)
                self._closing.wait(AGAIN_SECONDS)

    def _tell_in(self, session: Session) -> None:
        while not self._closing.wait(PAUSE_SECONDS):
            self._wake.wait()
            self._wake.clear()
            if signals := self._taken():
                self._tell_these(session, signals)

    def _tell_these(self, session: Session, signals: frozenset[Signal]) -> None:
        try:
            session.execute("SELECT pg_notify(%s, %s)", [CHANNEL, " ".join([self._name, *sorted(signals)])])
        except psycopg.Error:
            self.tell(signals)
            raise

    def _taken(self) -> frozenset[Signal]:
        with self._lock:
            signals, self._untold = self._untold, frozenset()
        return signals
