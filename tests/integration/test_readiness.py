"""Readiness: what a server needs is looked at, and what is wrong is named."""

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from service import background
from service.background import Repeated
from service.suggesting import SearchClosed, SearchProcess
from tests.integration.harness import Api, Json, ok, refused


def unready(api: Api) -> tuple[str, list[str]]:
    """What the answer says, and the names of what is not ready."""
    document: Json = refused(api.client.get("/readyz"), 503, "not-ready")
    return document["detail"], [check["name"] for check in document["checks"] if not check["ready"]]


def test_a_database_with_another_schema_is_not_ready(api: Api) -> None:
    api.app.state.schema = "9999"
    detail, names = unready(api)
    assert names == ["migrations"]
    assert "shibori db upgrade" in detail


def test_a_database_that_does_not_answer_is_not_ready_and_nothing_else_is_said_of_it(api: Api) -> None:
    class Silent:
        def read(self, _work: Any) -> Any:
            raise OSError("no disk")

    database, api.app.state.database = api.app.state.database, Silent()
    detail, names = unready(api)
    api.app.state.database = database
    assert names == ["database"]
    assert "no disk" in detail


def test_a_server_that_is_about_to_end_is_not_ready_and_gives_no_trials(api: Api) -> None:
    api.submit()
    held = api.claim_one()
    api.app.state.notifier.close()
    assert unready(api)[1] == ["server"]
    answer = api.post("/claims", {"worker": "ann", "objectives": ["bowl"]})
    refused(answer, 503, "shutting-down")
    assert answer.headers["retry-after"] == "1"
    assert ok(api.complete(held, claim_next=1))["claimed"]["trials"] == []


def test_a_suggester_that_cannot_work_is_not_ready(api: Api) -> None:
    api.app.state.parts["suggester"].append(lambda: "its process ended before it answered")
    assert unready(api) == ("suggester: its process ended before it answered", ["suggester"])
    assert ok(api.client.get("/livez")) == {"status": "alive"}


def test_a_thread_that_ended_or_hangs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    never_begun = Repeated("never", lambda: None, 0.01)
    assert never_begun.trouble() == "its thread has ended"
    with Repeated("running", lambda: None, 1e6) as running:
        assert running.trouble() is None
        now = time.monotonic()
        monkeypatch.setattr(background, "monotonic", lambda: now + 1e6 + background.LONGEST_TURN_SECONDS + 5)
        assert running.trouble() == "its last turn ended 305 s ago"


def test_a_search_process_that_died_is_told_until_another_has_answered() -> None:
    with SearchProcess() as process:
        with pytest.raises(Exception, match="terminated abruptly"):
            process.call(os._exit, 9)
        assert "ended before it answered" in (process.trouble() or "")
        assert process.call(abs, -3) == 3
        assert process.trouble() is None


def test_a_search_process_that_is_closed_leaves_what_it_computes_and_computes_nothing_more(tmp_path: Path) -> None:
    process, begun = SearchProcess(), tmp_path / "begun"
    answers: list[str] = []

    def ask() -> None:
        with pytest.raises(SearchClosed):
            process.call(_compute_for_ever, begun)
        answers.append("closed")

    asking = threading.Thread(target=ask, daemon=True)
    with process:
        asking.start()
        while not begun.exists():
            asking.join(0.01)
    asking.join(60)
    assert answers == ["closed"]
    with pytest.raises(SearchClosed):
        process.call(abs, -3)


def _compute_for_ever(begun: Path) -> None:
    begun.touch()
    threading.Event().wait()
