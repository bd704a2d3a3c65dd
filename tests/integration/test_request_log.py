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
    study = api.submit("logged", objective={"name": "logged"})["id"]
    held = api.claim_one(objectives=["logged"], worker="ann")
    ok(api.complete(held))
    api.show("logged")
    ok(api.post("/studies/logged/pause"))
    _, claim, complete, pause = lines(caplog)
    assert (claim.route, claim.method, claim.status, claim.worker) == ("/api/v1/claims", "POST", 200, "ann")
    assert (claim.study, claim.trial, claim.number) == (study, held["id"], 0)
    assert complete.route == "/api/v1/trials/{trial_id}/complete"
    assert (complete.study, complete.trial, complete.number, complete.worker) == (study, held["id"], 0, "ann")
    assert (pause.route, pause.study, pause.named) == ("/api/v1/studies/{study}/pause", study, "logged")
    assert pause.milliseconds > 0


def test_a_line_lists_what_was_given_where_that_is_more_than_one(api: Api, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    studies = []
    for number in range(2):
        api.clock.move(1)
        studies += [api.submit(f"listed-{number}", objective={"name": "listed"}, budget={"trials": 2})["id"]]
    held = api.claim(3, objectives=["listed"])
    following = ok(api.complete(held[0], claim_next=1))["claimed"]["trials"]
    body = {"lease": held[1]["lease"]["token"], "value": 0.5}
    for _ in range(2):
        ok(api.post(f"/trials/{held[1]['id']}/complete", body, headers={"Idempotency-Key": "listed"}))
    *_, claim, complete, keyed, replayed = lines(caplog)
    assert (claim.study, claim.trial) == (studies, [trial["id"] for trial in held])
    assert (complete.trial, complete.claimed_trial) == (held[0]["id"], following[0]["id"])
    assert complete.claimed_study == studies[1]
    assert (keyed.study, keyed.trial) == (replayed.study, replayed.trial) == (studies[0], held[1]["id"])
    assert not hasattr(keyed, "claimed_trial")


def test_a_trial_is_its_id_and_its_number_stands_apart(api: Api, caplog: Any) -> None:
    api.submit("numbered", objective={"name": "numbered"}, budget={"trials": 3})
    added = ok(api.post("/studies/numbered/trials", {"trials": [{"params": {"lr": x}} for x in (0.1, 0.2)]}), 201)
    ok(api.post("/studies/numbered/trials/1/cancel"))
    refused(api.post("/studies/numbered/trials/7/cancel"), 404, "trial-not-found")
    _, add, cancel, refusal = lines(caplog)
    first, second = (trial["id"] for trial in added["items"])
    assert (add.trial, add.study) == ([first, second], added["items"][0]["study"])
    assert (cancel.trial, cancel.number, cancel.named) == (second, 1, "numbered")
    assert (refusal.number, refusal.named, hasattr(refusal, "trial")) == (7, "numbered", False)


def test_a_release_of_a_worker_names_it(api: Api, caplog: Any) -> None:
    api.claim(worker="a/b", objectives=["released"])
    ok(api.post("/workers/a%2Fb/release"))
    assert lines(caplog)[-1].worker == "a/b"


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
