"""A server among those that share its database: whether it leads them, and what they tell each other."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from service.storage.store import Signal, system_clock


class Membership(Protocol):
    """Of all servers of a database one leads: it alone sweeps and suggests."""

    @property
    def leads(self) -> bool: ...

    def now(self) -> datetime:
        """The time that all of them have in common."""
        ...

    def join(self, first: Callable[[], None]) -> None:
        """Come among the others; where this server leads, it does first what no other may be ahead of."""
        ...

    def tell(self, signals: frozenset[Signal]) -> None:
        """Let the others know what a commit of this server has brought."""
        ...

    def leave(self) -> None:
        """Hand the lead over to the others."""
        ...


class Alone:
    """The one server of a SQLite file, which no other can open beside it."""

    leads = True

    def now(self) -> datetime:
        return system_clock()

    def join(self, first: Callable[[], None]) -> None:
        first()

    def tell(self, signals: frozenset[Signal]) -> None:
        pass

    def leave(self) -> None:
        pass
