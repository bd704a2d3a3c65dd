"""Leases: who may write to a trial, and what becomes of it when its worker falls silent."""

import pytest
import sqlalchemy as sa

from service.storage.keys import DROPPED_AT_ONCE
from service.storage.tables import idempotency_keys
from tests.integration.harness import Api, ok, refused, spec


def test_an_expired_lease_lets_the_trial_wait_for_its_next_attempt(api: Api) -> None:
    api.submit(budget={"trials": 1})
    first = api.claim_one()
    api.clock.move(31)
    api.sweep()
    assert api.counts() == {"waiting": 1}
    second = api.claim_one(worker="bob")
    assert (second["id"], second["params"], second["seed"]) == (first["id"], first["params"], first["seed"])
    assert second["attempt"] == 2
    assert second["lease"]["token"] != first["lease"]["token"]
    ends = [(one["worker"], one["end"]) for one in api.trial(0)["attempts"]]
    assert ends == [("ann", "lost"), ("bob", None)]


def test_a_claim_takes_an_expired_trial_back_without_a_sweep(api: Api) -> None:
    api.submit(budget={"trials": 1})
    first = api.claim_one()
    api.clock.move(31)
    assert api.claim_one(worker="bob")["id"] == first["id"]


def test_until_somebody_takes_a_trial_back_its_holder_writes(api: Api) -> None:
    api.submit(budget={"trials": 1})
    claimed = api.claim_one()
    api.clock.move(1000)
    assert ok(api.tell(claimed, "report"))["action"] == "continue"
    api.clock.move(1000)
    assert ok(api.complete(claimed))["trial"]["status"] == "completed"


def test_a_report_renews_the_lease(api: Api) -> None:
    api.submit(budget={"trials": 1})
    claimed = api.claim_one()
    for epoch in range(1, 4):
        api.clock.move(25)
        answer = ok(api.tell(claimed, "report", epochs=[{"epoch": epoch, "score": 0.1}]))
        assert answer["expires_at"] > claimed["lease"]["expires_at"]
        api.sweep()
    assert api.counts() == {"running": 1}
    assert [point["epoch"] for point in ok(api.get("/studies/study/trials/0/curve"))["epochs"]] == [1, 2, 3]


def test_a_trial_that_is_lost_too_often_fails_as_lost(api: Api) -> None:
    api.submit(budget={"trials": 1}, retry={"max_attempts": 2})
    for attempt in (1, 2):
        assert api.claim_one()["attempt"] == attempt
        api.clock.move(31)
        api.sweep()
    trial = api.trial(0)
    assert (trial["status"], trial["failure"]["reason"]) == ("failed", "lost")
    assert trial["failure"]["message"]
    assert api.show()["status"] == "completed"


def test_a_worker_that_was_paused_cannot_overwrite_its_successor(api: Api) -> None:
    api.submit(budget={"trials": 1})
    slow = api.claim_one()
    api.clock.move(31)
    quick = api.claim_one(worker="bob")
    refused(api.tell(slow, "report", epochs=[{"epoch": 1, "score": 0.0}]), 409, "lease-lost")
    refused(api.complete(slow, 0.1), 409, "lease-lost")
    refused(api.tell(slow, "fail", message="late"), 409, "lease-lost")
    refused(api.tell(slow, "release"), 409, "lease-lost")
    ok(api.complete(quick, 0.9))
    refused(api.complete(slow, 0.1), 409, "lease-lost")
    assert api.trial(0)["value"] == 0.9


def test_of_two_clients_with_one_lease_the_first_result_counts(api: Api) -> None:
    api.submit(budget={"trials": 1})
    claimed = api.claim_one()
    ok(api.complete(claimed, 0.7))
    refused(api.complete(claimed, 0.8), 409, "trial-already-finished")
    assert api.trial(0)["value"] == 0.7
    assert api.counts() == {"completed": 1}


def test_a_released_trial_has_not_used_up_an_attempt(api: Api) -> None:
    api.submit(budget={"trials": 1}, retry={"max_attempts": 1})
    for _ in range(3):
        claimed = api.claim_one()
        assert claimed["attempt"] == 1
        assert ok(api.tell(claimed, "release"))["status"] == "waiting"
        assert ok(api.tell(claimed, "release"))["status"] == "waiting"
    ok(api.complete(api.claim_one()))
    assert api.show()["status"] == "completed"


def test_the_curve_of_a_trial_is_that_of_its_last_attempt(api: Api) -> None:
    api.submit(budget={"trials": 1})
    first = api.claim_one()
    ok(api.tell(first, "report", epochs=[{"epoch": 1, "score": 0.1}, {"epoch": 2, "score": 0.2}]))
    ok(api.tell(first, "report", epochs=[{"epoch": n, "score": s} for n, s in ((2, 0.9), (3, 0.3), (3, 0.8))]))
    path = "/studies/study/trials/0/curve"
    curve = ok(api.get(path))
    assert [(point["epoch"], point["score"]) for point in curve["epochs"]] == [(1, 0.1), (2, 0.2), (3, 0.3)]
    ok(api.tell(first, "release"))
    second = api.claim_one()
    assert ok(api.get(path))["epochs"] == []
    ok(api.complete(second, 0.5, epochs=[{"epoch": 1, "score": 0.5}]))
    assert [point["score"] for point in ok(api.get(path))["epochs"]] == [0.5]


def test_a_server_that_starts_again_gives_every_running_trial_a_fresh_lease(api: Api) -> None:
    api.submit(budget={"trials": 1})
    claimed = api.claim_one()
    api.clock.move(1000)
    api.restart()
    api.sweep()
    assert api.counts() == {"running": 1}
    api.clock.move(29)
    ok(api.complete(claimed))
    assert api.show()["status"] == "completed"


def test_after_a_restart_a_silent_worker_loses_its_lease_in_the_end(api: Api) -> None:
    api.submit(budget={"trials": 1})
    api.claim_one()
    api.restart()
    api.clock.move(31)
    api.sweep()
    assert api.counts() == {"waiting": 1}


@pytest.mark.parametrize("reason", ["error", "diverged", "timeout"])
def test_a_failed_trial_says_why_and_is_not_tried_again(api: Api, reason: str) -> None:
    api.submit(budget={"trials": 1})
    claimed = api.claim_one()
    failed = ok(api.tell(claimed, "fail", reason=reason, message="it was so"))
    assert failed["status"] == "failed"
    assert failed["failure"] == {"reason": reason, "message": "it was so"}
    assert failed["value"] is None
    assert ok(api.tell(claimed, "fail", reason=reason, message="it was so")) == failed
    refused(api.complete(claimed), 409, "lease-lost")
    assert api.show()["status"] == "completed"
    assert ok(api.get("/studies/study/best"))["items"] == []


def test_a_retryable_failure_is_tried_again_while_attempts_are_left(api: Api) -> None:
    api.submit(budget={"trials": 1}, retry={"max_attempts": 2})
    assert ok(api.tell(api.claim_one(), "fail", retryable=True))["status"] == "waiting"
    second = api.claim_one()
    assert second["attempt"] == 2
    assert ok(api.tell(second, "fail", retryable=True))["status"] == "failed"


def test_only_the_server_says_that_a_trial_is_lost(api: Api) -> None:
    api.submit()
    assert refused(api.tell(api.claim_one(), "fail", reason="lost"), 422, "invalid-input")["field"] == "reason"


def test_a_cancelled_trial_that_waits_makes_room_and_one_that_runs_is_told(api: Api) -> None:
    api.submit(budget={"trials": 2})
    ok(api.post("/studies/study/trials", {"trials": [{"params": {"lr": 0.1}}]}), 201)
    assert ok(api.post("/studies/study/trials/0/cancel"))["status"] == "cancelled"
    assert ok(api.post("/studies/study/trials/0/cancel"))["status"] == "cancelled"
    first, second = api.claim(9)
    assert ok(api.post(f"/studies/study/trials/{first['number']}/cancel"))["status"] == "running"
    assert ok(api.tell(first, "report"))["action"] == "stop"
    ok(api.complete(second))
    refused(api.post(f"/studies/study/trials/{second['number']}/cancel"), 409, "transition-refused")
    third = api.claim_one()
    ok(api.complete(third))
    assert api.counts() == {"completed": 2, "cancelled": 2}
    assert api.show()["status"] == "completed"


def test_a_failed_trial_that_is_retried_keeps_its_values_and_reopens_the_study(api: Api) -> None:
    api.submit(budget={"trials": 1})
    claimed = api.claim_one()
    refused(api.post("/studies/study/trials/0/retry"), 409, "transition-refused")
    ok(api.tell(claimed, "fail"))
    assert api.show()["status"] == "completed"
    revived = ok(api.post("/studies/study/trials/0/retry"))
    assert (revived["status"], revived["failure"]) == ("waiting", None)
    assert api.show()["status"] == "running"
    again = api.claim_one()
    assert again["params"] == claimed["params"]
    ok(api.complete(again))
    assert api.show()["status"] == "completed"
    assert api.counts() == {"completed": 1}


def test_a_cancelled_trial_is_retried_only_where_the_budget_has_room(api: Api) -> None:
    api.submit(budget={"trials": 1})
    ok(api.post("/studies/study/trials", {"trials": [{"params": {"lr": 0.1}}]}), 201)
    ok(api.post("/studies/study/trials/0/cancel"))
    taken = api.claim_one()
    refused(api.post("/studies/study/trials/0/retry"), 409, "budget-used-up")
    ok(api.complete(taken))
    ok(api.patch("/studies/study", {"budget": {"trials": 2}}))
    assert ok(api.post("/studies/study/trials/0/retry"))["status"] == "waiting"
    assert api.claim_one()["params"] == {"lr": 0.1}


def test_one_idempotency_key_is_one_answer(api: Api) -> None:
    api.submit(budget={"trials": 9})
    body = {"worker": "ann", "objectives": ["bowl"], "count": 2}
    key = {"Idempotency-Key": "k1"}
    first = ok(api.post("/claims", body, headers=key))
    assert ok(api.post("/claims", body, headers=key)) == first
    refused(api.post("/claims", body | {"count": 3}, headers=key), 422, "idempotency-key-reused")
    refused(api.post("/studies/study/pause", headers=key), 422, "idempotency-key-reused")
    assert api.counts() == {"running": 2}
    api.clock.move(24 * 3600 + 1)
    assert ok(api.post("/claims", body, headers=key)) != first


def test_keys_that_are_old_are_forgotten_a_portion_at_a_time(api: Api) -> None:
    database, old = api.app.state.database, {"fingerprint": "f", "status": 200, "body": "{}", "created_at": api.clock()}
    rows = [{"key": str(number), **old} for number in range(DROPPED_AT_ONCE + 1)]
    database.write(lambda store: store._connection.execute(sa.insert(idempotency_keys), rows))

    def kept() -> int:
        count = sa.select(sa.func.count()).select_from(idempotency_keys)
        return int(database.read(lambda store: store._connection.scalar(count)))

    api.clock.move(24 * 3600 - 1)
    api.sweep()
    assert kept() == DROPPED_AT_ONCE + 1
    api.clock.move(1)
    api.sweep()
    assert kept() == 1
    api.sweep()
    assert kept() == 0


def test_a_submission_under_a_key_is_replayed_with_its_location(api: Api) -> None:
    first = api.post("/studies", spec("one"), headers={"Idempotency-Key": "k"})
    again = api.post("/studies", spec("one"), headers={"Idempotency-Key": "k"})
    assert (again.status_code, again.text) == (201, first.text)
    assert again.headers["location"] == first.headers["location"]


def test_a_refusal_is_the_answer_under_its_key_too_and_leaves_nothing_behind(api: Api) -> None:
    key = {"Idempotency-Key": "k"}
    first = refused(api.post("/studies/study/pause", headers=key), 404, "study-not-found")
    api.submit()
    assert refused(api.post("/studies/study/pause", headers=key), 404, "study-not-found") == first
    assert api.show()["status"] == "running"
    ok(api.post("/studies/study/pause", headers={"Idempotency-Key": "another"}))
