"""Gives the room that is free inside of a SQLite file back to the disk."""

import sqlalchemy as sa

from service.storage.sqlite import sqlite_engine


def compact(url: str) -> None:
    """Write the file anew, which takes as much room again meanwhile; whoever calls has it to himself."""
    engine = sqlite_engine(sa.make_url(url), read_only=False)
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("VACUUM")
    finally:
        connection.close()
        engine.dispose()
