"""What an operation holds in its hands: the aggregates of one transaction, its time and its random source."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Protocol, TypeAlias, TypeVar

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext

from service.domain.facts import Fact, Happening
from service.domain.status import FailureReason
from service.storage.attempts import Attempts
from service.storage.attendance import Attendance
from service.storage.census import Census, take_census
from service.storage.curves import Curves
from service.storage.deletions import Deletions
from service.storage.events import Events
from service.storage.final_tests import FinalTests
from service.storage.keys import IdempotencyKeys
from service.storage.openings import Openings
from service.storage.rounds import Rounds
from service.storage.savepoints import Undone, savepoint
from service.storage.standings import Standings
from service.storage.studies import Studies
from service.storage.tables import VERSION_TABLE
from service.storage.trials import Trials
from service.storage.weights import Weights
from service.storage.workers import Workers

Result = TypeVar("Result")
Clock: TypeAlias = Callable[[], datetime]
Entropy: TypeAlias = Callable[[int], bytes]


def system_clock() -> datetime:
    return datetime.now(UTC)


class Signal(StrEnum):
    """What others in this process may want to know after a commit."""

    WORK = "work"
    """There may be a trial to claim."""
    HISTORY = "history"
    """Suggestions may be missing or out of date."""


@dataclass(slots=True)
class Tentative:
    """A part of a transaction, and whether it stays."""

    kept: bool = False

    def keep(self) -> None:
        self.kept = True


class Store:
    """The aggregates within one transaction, and its time: that of its beginning, or when it last got a lock."""

    def __init__(
        self,
        connection: sa.Connection,
        clock: Clock,
        entropy: Entropy,
        attendance: Attendance,
        *,
        kept: Sequence[str] = (),
    ) -> None:
        """`kept` are the studies that the same work, undone since, or other work has waited for in vain.

        The last is the one that the same work has waited for last.
        """
        self._connection, self._clock, self._attendance = connection, clock, attendance
        self.now, self.kept = clock(), kept
        self.studies = Studies(connection, self._tell_time)
        self.trials = Trials(connection)
        self.attempts = Attempts(connection)
        self.curves = Curves(connection)
        self.rounds = Rounds(connection)
        self.standings = Standings(connection)
        self.weights = Weights(connection)
        self.final_tests = FinalTests(connection)
        self.workers = Workers(connection)
        self.openings = Openings(connection)
        self.deletions = Deletions(connection)
        self.events = Events(connection)
        self.keys = IdempotencyKeys(connection)
        self.signals: set[Signal] = set()
        self.facts: list[Fact] = []
        self._entropy = entropy

    def census(self) -> Census:
        """How many there are of what, over all studies."""
        return take_census(self._connection, self.now)

    def schema(self) -> str | None:
        """The revision of the database's schema."""
        return MigrationContext.configure(
            self._connection, opts={"version_table": VERSION_TABLE}
        ).get_current_revision()

    def was_there(self, study_id: str, seconds: float) -> bool:
        """Whether the server has been there for so long, so that whoever holds a lease could have renewed it."""
        return self._attendance.covers(study_id, seconds, self.now)

    def serialise(self, key: str) -> None:
        """Let nobody else do anything under the same key until the end of the transaction."""
        if self._connection.dialect.name == "postgresql":
            number = int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), signed=True)
            self._connection.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))

    @contextmanager
    def tentative(self) -> Iterator["Tentative"]:
        """A part of the transaction that is undone, and its locks let go, unless it is kept."""
        part, known = Tentative(), len(self.facts)
        try:
            with savepoint(self._connection):
                yield part
                if not part.kept:
                    raise Undone
        finally:
            if not part.kept:
                del self.facts[known:]

    def _tell_time(self) -> None:
        # Whoever waited for a lock goes on when the others are done: what is given from then on lasts from then on.
        self.now = max(self.now, self._clock())

    def random_token(self) -> str:
        """128 random bits in hexadecimal."""
        return self._entropy(16).hex()

    def random_seed(self) -> int:
        """A seed of 32 bits."""
        return int.from_bytes(self._entropy(4), "big")

    def announce(self, *signals: Signal) -> None:
        """Tell others in this process, once this transaction is committed."""
        self.signals.update(signals)

    def note(self, happening: Happening, count: int = 1, reason: FailureReason | None = None) -> None:
        """Have it counted, once this transaction is committed."""
        self.facts.append(Fact(happening, count, reason))


class OutcomeUnknown(RuntimeError):
    """The database was lost while a unit of work was being committed, so that it was done, or was not."""


Work: TypeAlias = Callable[[Store], Result]
Listener: TypeAlias = Callable[[frozenset[Signal]], None]


class Database(Protocol):
    """Units of work: read ones side by side, writing ones durable before they return."""

    @property
    def description(self) -> str: ...

    @property
    def trouble(self) -> str | None:
        """What keeps it from being written, as far as the last attempt tells."""
        ...

    def read(self, work: Work[Result]) -> Result: ...

    def write(self, work: Work[Result], *, patient: bool = True) -> Result: ...

    def submit(self, work: Work[Result], *, joins: bool = False, patient: bool = True) -> Future[Result]:
        """Start a writing unit of work; the future is done after its commit. A short one may join others in theirs.

        Where others keep what it needs, StorageUnavailable is raised: after some seconds, or at once if not patient.
        """
        ...

    def close(self) -> None: ...
