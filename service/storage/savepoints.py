"""Parts of a transaction that can be undone by themselves."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from service.storage.prepared import run_plain


class Undone(Exception):
    """Raised within a savepoint to undo it; goes no further."""


@contextmanager
def savepoint(connection: sa.Connection) -> Iterator[None]:
    """Undo what the block did, and let go of the rows it locked, where an exception ends it.

    In plain SQL, since every writing request takes one, and SQLAlchemy's own object for it costs as much as several
    statements.
    """
    run_plain(connection, "SAVEPOINT part")
    try:
        yield
    except BaseException as error:
        try:
            run_plain(connection, "ROLLBACK TO SAVEPOINT part")
            run_plain(connection, "RELEASE SAVEPOINT part")
        except sa.exc.SQLAlchemyError:
            # More than this part is undone, or the connection is lost, and the first error says why.
            raise error from None
        if not isinstance(error, Undone):
            raise
    else:
        run_plain(connection, "RELEASE SAVEPOINT part")
