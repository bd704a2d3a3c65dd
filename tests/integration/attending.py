"""A server that is there or away as a test will have it: its sweeper, which looks when it is told to."""

from collections.abc import Callable

import pytest

from service.domain.study import Study
from service.storage.studies import Studies
from service.sweeping import Sweeper
from tests.integration.harness import NEVER, Api

LONG = 3 * NEVER
"""Longer than the server's own sweeper may be away."""


def sweeper_of(api: Api, leads: Callable[[], bool] = lambda: True) -> Sweeper:
    return Sweeper(api.app.state.database, api.clock, leads, api.app.state.attendance)


def there_for(sweeper: Sweeper, api: Api, seconds: int) -> None:
    """Sweep once a second."""
    for _ in range(seconds):
        api.clock.move(1)
        sweeper.sweep()


def absences_count_from(api: Api, seconds: float) -> None:
    """Let a server be away where so much time lies between two of its notes, as a real one is."""
    attendance = api.app.state.attendance
    attendance.__init__(seconds)
    attendance.begin(api.clock())


def change_locks(monkeypatch: pytest.MonkeyPatch, change: Callable[[Study | None], Study | None]) -> None:
    """Let something happen whenever a study has been locked."""
    lock = Studies.lock

    def changed(studies: Studies, study_id: str, *, wait: bool) -> Study | None:
        return change(lock(studies, study_id, wait=wait))

    monkeypatch.setattr(Studies, "lock", changed)
