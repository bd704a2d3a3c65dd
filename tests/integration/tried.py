"""A PostgreSQL database that tells what it did again, and units of work to try it with."""

import sqlalchemy as sa

from service.storage.postgresql import WRITERS, PostgresqlDatabase
from service.storage.store import Clock, Store, system_clock
from tests.integration.harness import SeededEntropy


class Tried:
    """A database with a record of what was done again, and of the pauses before."""

    def __init__(self, url: sa.URL, writers: int = WRITERS, clock: Clock = system_clock) -> None:
        self.causes: list[str] = []
        self.pauses: list[float] = []
        self.database = PostgresqlDatabase(
            url,
            clock=clock,
            entropy=SeededEntropy(),
            on_commit=lambda _: None,
            on_retry=self.causes.append,
            sleep=self.pauses.append,
            writers=writers,
        )


def execute(store: Store, statement: str) -> object:
    return store._connection.execute(sa.text(statement))


def lose_a_race(store: Store) -> None:
    execute(store, "DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40001'; END $$")


def note(store: Store) -> None:
    execute(store, "INSERT INTO notes DEFAULT VALUES")


def notes(database: PostgresqlDatabase) -> int:
    return database.read(lambda store: int(store._connection.scalar(sa.text("SELECT count(*) FROM notes")) or 0))
