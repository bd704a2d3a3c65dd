"""Connections to PostgreSQL as this service needs them: current enough, durable, and not waiting for a lost server."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import URL

Session: TypeAlias = psycopg.Connection[tuple[Any, ...]]

OLDEST = 13
# Without these, a connection to a machine that is gone is waited for as long as the system's own limits say: hours.
NOTICING_LOSS: Mapping[str, int] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


class ServerTooOld(RuntimeError):
    """The PostgreSQL server is of a version that this service was not made for."""


def postgresql_engine(url: URL, **pool: Any) -> sa.Engine:
    """An engine whose every session is checked and made durable before it is used."""
    # Parameters by position are what statements that are compiled once are made for.
    options: dict[str, Any] = {"isolation_level": "READ COMMITTED", "hide_parameters": True, "paramstyle": "format"}
    engine = sa.create_engine(url, connect_args=noticing_loss(url), **options, **pool)
    sa.event.listen(engine, "connect", _begin_session)
    return engine


def noticing_loss(url: URL) -> dict[str, int]:
    """The parameters of a connection that notices when its server is gone, where the URL does not say otherwise."""
    return {name: value for name, value in NOTICING_LOSS.items() if name not in url.query}


def _begin_session(connection: Any, _record: object) -> None:
    require_version(connection.info.server_version)
    with connection.cursor() as cursor:
        # What was answered is kept, also where the server's own default is to lose the last moments in a crash.
        cursor.execute("SELECT set_config('synchronous_commit', 'on', false) WHERE " + _COMMITS_LATER)
    connection.commit()


def require_version(number: int) -> None:
    """Refuse a server of an older version than this service was made for."""
    if number < OLDEST * 10_000:
        raise ServerTooOld(
            f"this is PostgreSQL {number // 10_000}, and Shibori needs {OLDEST} or later; upgrade it, or use SQLite"
        )


_COMMITS_LATER = "current_setting('synchronous_commit') = 'off'"


def own_session(url: URL) -> Session:
    """A connection of its caller's own, in which each statement is a transaction."""
    _, parameters = sa.create_engine(url).dialect.create_connect_args(url)
    return psycopg.connect(**{**parameters, **noticing_loss(url)}, autocommit=True)
