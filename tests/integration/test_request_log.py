"""Requests in the log: each mutation has its line and its id, and no line has a token, a key or a body."""

import logging
from typing import Any

import pytest
import sqlalchemy as sa

from service.logs import AsJson, request_id
from service.storage.store import Store
from tests.integration.harness import Api, ok, refused

KEY = "key-that-nobody-is-to-see"


@pytest.fixture
def api(shared_api: Api, caplog: pytest.LogCaptureFixture) -> Api:
    caplog.set_level(logging.INFO)
    return shared_api


def lines(caplog: pytest.LogCaptureFixture) -> list[Any]:
    return [record for record in caplog.records if record.name == "shibori.requests"]


def test_a_mutation_has_a_line_with_its_route_and_what_it_was_about(api: Api, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    api.submit("logged", objective={"name": "logged"})
    held = api.claim_one(objectives=["logged"], worker="ann")
    ok(api.complete(held))
    api.show("logged")
    ok(api.post("/studies/logged/pause"))
    _, claim, complete, pause = lines(caplog)
    assert (claim.route, claim.method, claim.status, claim.worker) == ("/api/v1/claims", "POST", 200, "ann")
    assert (complete.route, complete.trial) == ("/api/v1/trials/{trial_id}/complete", str(held["id"]))
    assert (pause.route, pause.study) == ("/api/v1/studies/{study}/pause", "logged")
    assert pause.milliseconds > 0


def test_what_workers_ask_all_the_time_has_a_line_at_info_only_where_it_was_refused(api: Api, caplog: Any) -> None:
    api.submit("routine", objective={"name": "routine"})
    held = api.claim_one(objectives=["routine"])
    ok(api.complete(held))
    refused(api.tell(held, "release"), 409, "lease-lost")
    assert [(line.route.rsplit("/", 1)[1], line.status) for line in lines(caplog)] == [
        ("studies", 201),
        ("release", 409),
    ]


def test_an_id_that_came_with_a_request_goes_back_with_its_answer(api: Api, caplog: Any) -> None:
    answer = api.client.get("/livez", headers={"X-Request-ID": "from outside 17"})
    assert answer.headers["x-request-id"] == "from outside 17"


@pytest.mark.parametrize("given", ["", "x" * 129, "a\tb", "caf\u00e9"])
def test_an_id_that_will_not_do_is_replaced(api: Api, given: str) -> None:
    answer = api.client.get("/livez", headers={"X-Request-ID": given.encode()})
    assert answer.headers["x-request-id"] not in ("", given)


def test_what_the_writing_thread_does_carries_the_id_of_the_request(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str | None] = []
    monkeypatch.setattr(Store, "serialise", lambda *_: seen.append(request_id.get()))
    ok(
        api.post(
            "/claims", {"worker": "w", "objectives": ["none"], "request_id": "r"}, headers={"X-Request-ID": "id-1"}
        )
    )
    assert seen == ["id-1"]


def test_a_failure_inside_has_the_id_in_its_answer(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "census", None)
    answer = api.client.get("/metrics", headers={"X-Request-ID": "id-2"})
    refused(answer, 500, "server-error")
    assert answer.headers["x-request-id"] == "id-2"


def test_no_token_key_or_body_is_logged_even_where_the_database_fails(api: Api, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    api.submit("secret", objective={"name": "secret"}, description="body-that-nobody-is-to-see")
    token = api.claim_one(objectives=["secret"])["lease"]["token"]
    keyed = {"Idempotency-Key": KEY}
    for _ in range(2):
        api.post("/trials/1/complete", {"lease": token, "value": 0.5}, headers=keyed)

    def broken(store: Store) -> None:
        column = sa.column("lost")
        store._connection.execute(sa.select(column).where(column.in_([token, KEY])))

    try:
        api.app.state.database.write(broken)
    except sa.exc.DBAPIError:
        logging.getLogger("shibori").exception("it failed")
    written = "\n".join(AsJson().format(record) for record in caplog.records)
    assert "SELECT lost" in written
    for secret in (token, KEY, "body-that-nobody-is-to-see"):
        assert secret not in written
