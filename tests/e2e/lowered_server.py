"""A server that does not wait for the disk, to show that the tests would notice."""

from typing import Any

import sqlalchemy as sa

from shibori.commands import main


@sa.event.listens_for(sa.pool.Pool, "checkout")
def _lower(connection: Any, _record: object, _proxy: object) -> None:
    connection.execute("PRAGMA synchronous = NORMAL")


if __name__ == "__main__":
    main()
