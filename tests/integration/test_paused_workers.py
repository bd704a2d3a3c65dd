"""A worker that fails one trial after the other, while others succeed, is paused with a reason until it is released."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.harness import Api, Json, ok, refused

NEXT = {"budget": {"trials": 60}}


def fail(api: Api, times: int, worker: str = "ann", reason: str = "error") -> None:
    for _ in range(times):
        ok(api.tell(api.claim_one(worker=worker), "fail", reason=reason, message="no"))


def succeed(api: Api, worker: str = "bob") -> None:
    ok(api.complete(api.claim_one(worker=worker)))


def ask(api: Api, worker: str = "ann") -> Json:
    answer: Json = ok(api.post("/claims", {"worker": worker, "objectives": ["bowl"]}))
    return answer


def worker_of(api: Api, name: str = "ann") -> Json:
    found: Json = next(one for one in ok(api.get("/workers"))["items"] if one["name"] == name)
    return found


def test_a_worker_that_fails_five_in_a_row_while_another_succeeds_is_paused_with_a_reason(api: Api) -> None:
    api.submit(**NEXT)
    fail(api, 4)
    succeed(api)
    fail(api, 1)
    answer = ask(api)
    assert answer["trials"] == []
    assert "last 5 trials failed" in answer["paused"]
    shown = worker_of(api)
    assert (shown["paused"], shown["failures_in_a_row"]) == (answer["paused"], 5)
    assert shown["paused_at"] is not None
    assert ask(api)["paused"] == answer["paused"]


def test_an_answer_to_a_worker_that_is_not_paused_says_nothing_of_it(api: Api) -> None:
    api.submit(budget={"trials": 1})
    assert "paused" not in ask(api)
    assert "paused" not in ask(api)


def test_a_worker_is_paused_once_another_succeeds_though_it_failed_before(api: Api) -> None:
    api.submit(**NEXT)
    fail(api, 5)
    held = api.claim_one(worker="ann")
    succeed(api)
    assert "paused" in ask(api)
    assert ok(api.complete(held, claim_next=1))["claimed"] == {"trials": []}


def test_a_worker_that_is_alone_is_not_paused(api: Api) -> None:
    api.submit(**NEXT)
    succeed(api)
    api.clock.move(1)
    fail(api, 9)
    assert len(ask(api)["trials"]) == 1


def test_who_succeeds_at_another_objective_says_nothing_of_this_one(api: Api) -> None:
    api.submit(**NEXT)
    api.submit("other", objective={"name": "valley"})
    fail(api, 5)
    ok(api.complete(api.claim_one(worker="bob", objectives=["valley"])))
    assert len(ask(api)["trials"]) == 1


def test_values_that_diverge_are_no_fault_of_the_worker(api: Api) -> None:
    api.submit(**NEXT)
    fail(api, 9, reason="diverged")
    succeed(api)
    assert worker_of(api)["failed"] == 9
    assert len(ask(api)["trials"]) == 1


def test_a_success_in_between_begins_the_count_anew(api: Api) -> None:
    api.submit(**NEXT)
    fail(api, 4)
    succeed(api, "ann")
    succeed(api)
    fail(api, 4)
    assert len(ask(api)["trials"]) == 1


def test_leases_that_are_lost_count(api: Api) -> None:
    api.submit(**NEXT)
    for _ in range(5):
        api.claim_one(worker="ann")
        api.clock.move(31)
        api.sweep()
    succeed(api)
    assert "paused" in ask(api)


def test_a_paused_worker_keeps_the_leases_it_has(api: Api) -> None:
    api.submit(**NEXT)
    fail(api, 5)
    held = api.claim_one(worker="ann", request_id="r")
    succeed(api)
    assert "paused" in ask(api)
    assert api.claim_one(worker="ann", request_id="r") == held
    assert ok(api.tell(held, "report"))["action"] == "continue"
    assert ok(api.complete(held))["trial"]["status"] == "completed"
    assert worker_of(api)["paused"] is not None


def test_a_released_worker_claims_again_also_where_its_claim_waits(api: Api) -> None:
    api.submit(**NEXT)
    fail(api, 5)
    succeed(api)
    ask(api)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(api.claim, 1, worker="ann", wait_seconds=30)
        released = ok(api.post("/workers/ann/release"))
        assert (released["paused"], released["paused_at"], released["failures_in_a_row"]) == (None, None, 0)
        assert len(waiting.result(timeout=120)) == 1


@pytest.mark.parametrize("name", ["a/b", "release", "a b?c", "a/release"])
def test_a_worker_of_any_name_can_be_released(api: Api, name: str) -> None:
    api.submit()
    api.claim_one(worker=name)
    quoted = "".join(f"%{byte:02X}" for byte in name.encode())
    assert ok(api.post(f"/workers/{quoted}/release"))["name"] == name


def test_a_worker_that_nobody_knows_cannot_be_released(api: Api) -> None:
    refused(api.post("/workers/nobody/release"), 404, "worker-not-found")


def test_nobody_is_paused_where_the_setting_says_never(api: Api) -> None:
    api.app.state.pause_worker_after = 0
    api.submit(**NEXT)
    fail(api, 9)
    succeed(api)
    assert len(ask(api)["trials"]) == 1


def test_the_metrics_know_that_a_worker_is_paused(api: Api) -> None:
    api.submit(**NEXT)
    fail(api, 5)
    succeed(api)
    assert "paused" in ask(api)
    assert 'shibori_workers{state="paused"} 1.0' in api.client.get("/metrics").text


def test_a_paused_worker_that_waits_keeps_nothing_from_others(api: Api) -> None:
    api.submit(**NEXT | {"max_parallel": 1})
    fail(api, 5)
    succeed(api)
    held = api.claim_one(worker="bob")
    with ThreadPoolExecutor(2) as pool:
        asked = [{"worker": name, "objectives": ["bowl"], "wait_seconds": 20} for name in ("ann", "cal")]
        waiting = []
        for seen, claim in enumerate(asked, 1):
            waiting.append(pool.submit(api.post, "/claims", claim))
            while api.app.state.notifier.waiting < seen:
                pass
        ok(api.complete(held))
        assert [trial["number"] for trial in ok(waiting[1].result(10))["trials"]] != []
        assert not waiting[0].done()
        api.app.state.notifier.close()
        assert "paused" in ok(waiting[0].result(10))
