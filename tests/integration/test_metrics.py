"""What Prometheus reads: committed facts, each counted once, and labels from closed lists."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.domain.errors import ShiboriError
from service.domain.facts import Happening
from service.domain.status import FailureReason, StudyStatus
from service.search import known
from service.storage.store import Store
from tests.integration.harness import Api, ok, refused, until

LEASE_LOST = {"lease": "00000001-" + "0" * 32}
LABELS = {
    "method": {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"},
    "status": {"2xx", "3xx", "4xx", "5xx", *StudyStatus, "waiting", "running"},
    "reason": set(FailureReason),
    "kind": {"read", "write"},
    "state": {"active", "idle", "away", "paused"},
    "algorithm": {algorithm.name for algorithm in known()},
    "cause": {"serialization", "deadlock", "unique", "connection"},
}


def samples(api: Api) -> Iterator[Any]:
    for family in text_string_to_metric_families(api.client.get("/metrics").text):
        yield from family.samples


def figure(api: Api, name: str, **labels: str) -> float:
    """One figure of the page."""
    return next(one.value for one in samples(api) if one.name == f"shibori_{name}" and one.labels == labels)


def test_what_workers_do_is_counted(api: Api) -> None:
    api.submit(budget={"trials": 6}, retry={"max_attempts": 2})
    first, second, third, fourth, _fifth = api.claim(5)
    ok(api.tell(first, "report", epochs=[{"epoch": 1, "score": 0.1}, {"epoch": 2, "score": 0.2}]))
    ok(api.complete(first, epochs=[{"epoch": 2, "score": 0.2}, {"epoch": 3, "score": 0.3}], claim_next=1))
    ok(api.tell(second, "release"))
    ok(api.tell(third, "fail", reason="error", message="m", retryable=True))
    ok(api.tell(fourth, "fail", reason="diverged", message="m"))
    api.clock.move(31)
    api.sweep()
    seen = {
        name: figure(api, f"{name}_total")
        for name in ("claims", "trials_claimed", "reports", "epochs_reported", "completions", "releases", "retries")
    }
    assert seen == {
        "claims": 2,
        "trials_claimed": 6,
        "reports": 1,
        "epochs_reported": 3,
        "completions": 1,
        "releases": 1,
        "retries": 3,
    }
    assert figure(api, "leases_taken_back_total") == 2
    assert figure(api, "failures_total", reason="diverged") == 1
    assert figure(api, "failures_total", reason="error") == 0
    assert figure(api, "trials", status="waiting") == 4
    assert figure(api, "workers", state="idle") == 1


def test_a_completion_that_is_repeated_counts_once_and_a_refused_one_never(api: Api) -> None:
    api.submit()
    held, other = api.claim(2)
    for _ in range(3):
        ok(api.complete(held, 0.5))
    refused(api.complete(held, 0.7), 409, "trial-already-finished")
    refused(api.post(f"/trials/{other['id']}/complete", LEASE_LOST | {"value": 0.5}), 409, "lease-lost")
    assert figure(api, "completions_total") == 1
    assert figure(api, "leases_lost_total") == 1


def test_a_request_that_is_replayed_counts_as_that(api: Api) -> None:
    api.submit()
    held = api.claim_one()
    for _ in range(3):
        ok(
            api.post(
                f"/trials/{held['id']}/release", {"lease": held["lease"]["token"]}, headers={"Idempotency-Key": "k"}
            )
        )
    assert figure(api, "releases_total") == 1
    assert figure(api, "replays_total") == 2


def test_what_is_undone_is_not_counted(api: Api) -> None:
    def undone(store: Store) -> None:
        store.note(Happening.COMPLETED)
        raise ZeroDivisionError

    def half_undone(store: Store) -> None:
        store.note(Happening.PRUNED)
        with store.tentative():
            store.note(Happening.COMPLETED)
        with suppress(ShiboriError), store.tentative():
            store.note(Happening.COMPLETED)
            raise ShiboriError

    with pytest.raises(ZeroDivisionError):
        api.app.state.database.write(undone)
    api.app.state.database.write(half_undone)
    assert figure(api, "completions_total") == 0
    assert figure(api, "prunings_total") == 1


def test_every_label_is_from_a_closed_list(api: Api) -> None:
    api.submit("named-by-somebody", tags=["tagged"])
    ok(api.complete(api.claim_one(worker="worker-of-somebody")))
    for path in ("/api/v1/studies/named-by-somebody/trials/0", "/nowhere/17", "/api/v1/nowhere", "/livez"):
        api.client.get(path)
    api.client.request("INVENTED", "/api/v1/claims")
    routes = {"/metrics", "/livez", "unmatched", *api.app.openapi()["paths"]}
    for one in samples(api):
        for label, value in one.labels.items():
            if label not in ("le", "version", "python", "database"):
                assert value in (LABELS | {"route": routes})[label], (one.name, label, value)
    assert figure(api, "http_requests_total", method="GET", route="unmatched", status="4xx") == 2
    trial = "/api/v1/studies/{study}/trials/{number}"
    assert figure(api, "http_requests_total", method="GET", route=trial, status="2xx") == 1
    assert figure(api, "http_request_seconds_count", method="GET", route=trial) == 1


def test_commits_and_the_time_in_the_database_are_counted(api: Api) -> None:
    before = commits_at_rest(api)
    api.submit()
    ok(api.complete(api.claim_one()))
    assert figure(api, "commit_units_sum") == before + 3
    assert 0 < figure(api, "commit_seconds_count") <= figure(api, "database_seconds_count", kind="write")
    assert figure(api, "writes_waiting") == figure(api, "claims_waiting") == 0


def test_a_transaction_that_is_done_again_counts_as_that_and_its_facts_once(api: Api) -> None:
    if api.url.startswith("sqlite"):
        pytest.skip("one thread writes, and meets nobody")
    tries: list[int] = []

    def racing(store: Store) -> None:
        tries.append(1)
        store.note(Happening.COMPLETED)
        if len(tries) < 3:
            store._connection.exec_driver_sql("DO $$ BEGIN RAISE 'lost' USING ERRCODE = '40001'; END $$")

    units = commits_at_rest(api)
    api.app.state.database.write(racing)
    assert figure(api, "transaction_retries_total", cause="serialization") == 2
    assert figure(api, "completions_total") == 1
    assert figure(api, "commit_units_sum") == units + 1


def commits_at_rest(api: Api) -> float:
    """How many units were committed, those of the sweep that follows an election among them."""
    if not api.url.startswith("sqlite"):
        until(lambda: figure(api, "commit_units_sum"))
    return figure(api, "commit_units_sum")
