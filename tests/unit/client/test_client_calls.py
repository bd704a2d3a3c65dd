"""The client's requests and how it reads answers, against connections that are scripted."""

import json
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import pytest
from urllib3 import HTTPResponse
from urllib3.exceptions import ProtocolError

from client import ApiError, Client, LeaseLost, NotFound, Refused, Retry, Unreachable, Unreadable
from client.transport import Transport
from service.protocol import BudgetSpec, ClaimRequest, StudyPatch, StudySpec

URL = "http://server:8000"
REPORTED = {"action": "continue", "reason": None, "expires_at": None}


class Connections:
    """Answers with what is scripted, in order, and keeps what was asked."""

    def __init__(self, *script: tuple[int, object] | Exception) -> None:
        self.script = list(script)
        self.asked: list[dict[str, Any]] = []

    def request(self, method: str, url: str, **details: Any) -> HTTPResponse:
        self.asked.append({"method": method, "url": url, **details})
        answer = self.script.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, body = answer
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return HTTPResponse(body=BytesIO(raw), status=status, headers={"Retry-After": "0"})


def client_of(*script: tuple[int, object] | Exception, total_seconds: float = 10) -> tuple[Client, Connections]:
    connections = Connections(*script)
    client = Client(URL)
    retry = Retry(total_seconds=total_seconds, sleep=lambda _: None)
    client._transport = Transport(URL, retry, connections)  # type: ignore[arg-type]
    return client, connections


def problem(status: int, slug: str, **more: object) -> tuple[int, Mapping[str, object]]:
    document = {"type": f"/problems/{slug}", "title": slug, "status": status, "detail": f"about {slug}"}
    return status, {**document, **more}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (problem(409, "lease-lost"), LeaseLost),
        (problem(404, "study-not-found"), NotFound),
        (problem(422, "invalid-input"), Refused),
        (problem(409, "study-name-taken"), ApiError),
        ((404, b"<html>not here</html>"), Unreadable),
    ],
)
def test_a_problem_becomes_the_exception_of_its_kind(answer: tuple[int, object], kind: type[ApiError]) -> None:
    client, _ = client_of(answer)
    with pytest.raises(ApiError) as caught:
        client.study("book")
    assert type(caught.value) is kind


def test_a_refusal_carries_each_wrong_field() -> None:
    errors = [{"field": "space.lr.low", "message": "must be above 0"}]
    client, _ = client_of(problem(422, "invalid-input", field="space.lr.low", errors=errors))
    with pytest.raises(Refused) as caught:
        client.submit_study({"name": "book"})
    refused = caught.value
    assert (refused.status, refused.slug, refused.field) == (422, "invalid-input", "space.lr.low")
    assert [fault.message for fault in refused.errors] == ["must be above 0"]
    assert str(refused) == refused.detail == "about invalid-input"


def test_a_problem_of_a_newer_server_is_read_all_the_same() -> None:
    client, _ = client_of(problem(404, "trial-not-found", hint="new"))
    with pytest.raises(NotFound, match="about trial-not-found"):
        client.trial("book", 7)


def test_what_a_newer_server_adds_to_an_answer_is_ignored() -> None:
    client, _ = client_of((200, {**REPORTED, "mood": "fine"}))
    assert client.report(1, "token").action == "continue"


def test_numbers_of_any_name_are_kept_in_a_curve() -> None:
    client, _ = client_of((200, {"attempt": 1, "new": 1, "epochs": [{"epoch": 1, "train_loss": 0.5}]}))
    assert client.curve("book", 0).epochs[0].model_dump() == {"epoch": 1, "train_loss": 0.5}


def test_an_answer_of_another_shape_is_unreadable() -> None:
    client, _ = client_of((200, {"action": "dance"}))
    with pytest.raises(Unreadable, match="action"):
        client.report(1, "token")


def test_a_mutation_asked_again_keeps_its_key_and_the_next_has_another() -> None:
    client, connections = client_of(ProtocolError("reset"), (204, b""), (204, b""))
    client.delete("book")
    client.delete("book")
    first, again, second = (asked["headers"]["Idempotency-Key"] for asked in connections.asked)
    assert first == again != second


def test_a_worker_is_released_by_its_name_whatever_is_in_it() -> None:
    seen = {"first_seen_at": "2026-01-01T00:00:00Z", "last_seen_at": "2026-01-01T00:00:00Z"}
    counts = {"running": 0, "completed": 1, "failed": 0}
    client, connections = client_of((200, {"name": "a/b c", "objectives": ["f"], **counts, **seen}))
    assert client.release_worker("a/b c").paused is None
    (asked,) = connections.asked
    assert asked["url"].endswith("/api/v1/workers/a%2Fb%20c/release")
    assert asked["headers"]["Idempotency-Key"]


def test_a_claim_asked_again_is_the_same_request() -> None:
    client, connections = client_of((503, b""), (200, {"trials": []}))
    client.claim(ClaimRequest(worker="w", objectives=["f"], wait_seconds=20, request_id="r"))
    first, again = connections.asked
    assert first["body"] == again["body"]
    assert first["timeout"].read_timeout > 20


@pytest.mark.parametrize("answer", [ProtocolError("reset"), (502, b""), problem(503, "unavailable"), (504, b"")])
def test_no_answer_for_too_long_is_unreachable(answer: Any) -> None:
    client, connections = client_of(answer, total_seconds=0)
    with pytest.raises(Unreachable, match=URL):
        client.study("book")
    assert len(connections.asked) == 1


def test_a_server_error_is_told_at_once() -> None:
    client, connections = client_of(problem(500, "internal"))
    with pytest.raises(ApiError):
        client.study("book")
    assert len(connections.asked) == 1


def test_only_what_was_said_is_sent() -> None:
    client, connections = client_of(problem(422, "x"), problem(422, "x"))
    with pytest.raises(Refused):
        client.patch("a b/c", StudyPatch.model_validate({"budget": {"trials": 150, "seconds": None}}))
    with pytest.raises(Refused):
        client.open_proposed_round("book")
    patched, opened = connections.asked
    assert patched["url"] == f"{URL}/api/v1/studies/a%20b%2Fc"
    assert json.loads(patched["body"]) == {"budget": {"trials": 150, "seconds": None}}
    assert json.loads(opened["body"]) == {"from": "proposal"}


def test_lists_are_read_page_by_page() -> None:
    trial = {
        **dict.fromkeys(["value", "samples", "worker", "failure", "provenance", "started_at", "finished_at"]),
        "id": 1,
        "study": "s",
        "study_name": "book",
        "number": 0,
        "status": "waiting",
        "purpose": "search",
        "params": {},
        "round": 0,
        "attempt": 1,
        "seed": 1,
        "origin": "suggested",
        "created_at": "2026-01-01T00:00:00Z",
    }
    pages = [{"items": [trial], "next_cursor": "more"}, {"items": [trial, trial], "next_cursor": None}]
    client, connections = client_of(*((200, page) for page in pages))
    assert len(list(client.trials("book", status="waiting"))) == 3
    assert [("cursor=more" in asked["url"], "status=waiting" in asked["url"]) for asked in connections.asked] == [
        (False, True),
        (True, True),
    ]


def test_a_confirmation_and_a_final_test_are_asked_for_by_name_or_as_they_come() -> None:
    client, connections = client_of(*[problem(422, "x")] * 4)
    for call in (
        lambda: client.confirm("book", 3, 4, new_splits=True),
        lambda: client.confirm("book", trials=(7, 2)),
        lambda: client.final_test("book"),
        lambda: client.final_test("book", 7),
    ):
        with pytest.raises(Refused):
            call()
    first, second, third, fourth = (json.loads(asked["body"]) for asked in connections.asked)
    assert first == {"n": 3, "seeds": 4, "new_splits": True, "trials": None}
    assert second["trials"] == [7, 2]
    assert (third, fourth) == ({"trial": None}, {"trial": 7})
    assert all("Idempotency-Key" in asked["headers"] for asked in connections.asked)


def test_a_study_is_sent_as_it_was_written() -> None:
    client, connections = client_of(problem(409, "study-name-taken"))
    space = {"lr": {"type": "float", "low": 0.1, "high": 1.0}}
    spec = StudySpec.model_validate(
        {"name": "book", "objective": {"name": "f"}, "space": space, "budget": BudgetSpec(trials=3)}
    )
    with pytest.raises(ApiError):
        client.submit_study(spec)
    sent = json.loads(connections.asked[0]["body"])
    assert sent["budget"] == {"trials": 3}
    assert "lease_seconds" not in sent


def test_workers_are_read_page_by_page_and_of_an_older_server_at_once() -> None:
    worker = {"name": "ann", "objectives": [], "running": 0, "completed": 0, "failed": 0}
    times = dict.fromkeys(("first_seen_at", "last_seen_at"), "2026-01-01T00:00:00Z")
    page = {"items": [worker | times]}
    client, connections = client_of(
        (200, page | {"next_cursor": "c"}), (200, page | {"next_cursor": None}), (200, page)
    )
    assert [len(client.workers().items), len(client.workers().items)] == [2, 1]
    assert [asked["url"].partition("?")[2] for asked in connections.asked] == ["", "cursor=c", ""]


@pytest.mark.parametrize("url", ["server:8000", "ftp://server", "http://", "", "http://server:port"])
def test_an_address_that_is_none_is_refused_with_an_example(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIBORI_SERVER_URL", url or "nonsense")
    with pytest.raises(ValueError, match="looks like http://host:8000"):
        Client()


def test_readiness_is_a_yes_or_a_no() -> None:
    client, _ = client_of((200, {"status": "ready"}), (503, b""), total_seconds=0)
    assert [client.ready(), client.ready()] == [True, False]
