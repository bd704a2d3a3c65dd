"""A claimed trial, a server in memory, and a session that only listens."""

from collections.abc import Callable

import pytest
from worker_fakes import Clock, FakeServer, Listener

from service.protocol import ClaimedTrial


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def claimed() -> Callable[..., ClaimedTrial]:
    """Makes a claimed trial; what is given stands in for the defaults."""

    def make(**changes: object) -> ClaimedTrial:
        lease = {"token": "token-1", "expires_at": "2026-01-01T00:00:30Z", "renew_seconds": 10.0}
        usual = {
            "id": 7,
            "study": "s",
            "study_name": "book",
            "number": 3,
            "attempt": 1,
            "objective": "f",
            "settings": {},
        }
        more = {"metric": "validation_accuracy", "seed": 1, "split_seed": 2, "purpose": "search"}
        return ClaimedTrial.model_validate(
            {**usual, **more, "last_epoch": None, "params": {"lr": 0.1}, "lease": lease, **changes}
        )

    return make


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def clock() -> Clock:
    return Clock()
