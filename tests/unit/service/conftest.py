"""What several of these tests ask for."""

import pytest

from service import notifier


@pytest.fixture
def woken_by_words_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks without a notification; so a lost one would be seen."""
    monkeypatch.setattr(notifier, "LONGEST_SLEEP_SECONDS", 1e6)
    monkeypatch.setattr(notifier, "SHORTEST_SLEEP_SECONDS", 0.0)
