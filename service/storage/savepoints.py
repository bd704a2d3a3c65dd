"""Parts of a transaction that can be undone by themselves."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa


class Undone(Exception):
    """Raised within a savepoint to undo it; goes no further."""


@contextmanager
def savepoint(connection: sa.Connection) -> Iterator[None]:
    """Undo what the block did, and let go of the rows it locked, where an exception ends it.

    In plain SQL, since every writing request takes one, and SQLAlchemy's own object for it costs more than the rest
    of a small request.
    """
    connection.exec_driver_sql("SAVEPOINT part")
    try:
        yield
    except BaseException as error:
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT part")
        connection.exec_driver_sql("RELEASE SAVEPOINT part")
        if not isinstance(error, Undone):
            raise
    else:
        connection.exec_driver_sql("RELEASE SAVEPOINT part")
