"""Claims: never past the budget, never short of it, and the same again where the answer was lost."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.harness import Api, ok, refused


def test_a_claim_tells_a_worker_all_it_needs(api: Api) -> None:
    api.submit(objective={"name": "bowl", "settings": {"depth": 3}})
    claimed = api.claim_one()
    assert claimed["number"] == 0
    assert claimed["attempt"] == 1
    assert (claimed["objective"], claimed["settings"]) == ("bowl", {"depth": 3})
    assert set(claimed["params"]) == {"lr"}
    assert 1e-4 <= claimed["params"]["lr"] <= 1
    assert claimed["purpose"] == "search"
    assert claimed["split_seed"] == 7
    assert claimed["lease"]["renew_seconds"] == 10
    detail = api.trial(0)
    assert (detail["status"], detail["worker"]) == ("running", "ann")
    assert detail["provenance"]["algorithm"] == "random"
    assert [one["attempt"] for one in detail["attempts"]] == [1]


def test_the_budget_is_neither_exceeded_nor_left_short_by_one_greedy_claim(api: Api) -> None:
    api.submit(budget={"trials": 7})
    claimed = api.claim(1000)
    assert sorted(trial["number"] for trial in claimed) == list(range(7))
    assert api.claim(1000) == []
    for trial in claimed:
        ok(api.complete(trial))
    assert api.show()["status"] == "completed"
    assert api.counts() == {"completed": 7}


def test_many_threads_complete_exactly_the_budget(api: Api) -> None:
    api.submit(budget={"trials": 60})

    def work(place: int) -> list[int]:
        done = []
        while claimed := api.claim(1 + place % 3, worker=f"w{place}"):
            for trial in claimed:
                done.append(trial["number"])
                assert len(done) <= 60
                ok(api.complete(trial, trial["number"] / 100))
        return done

    with ThreadPoolExecutor(8) as pool:
        numbers = [number for done in pool.map(work, range(8)) for number in done]
    assert sorted(numbers) == list(range(60))
    assert api.counts() == {"completed": 60}
    assert api.show()["status"] == "completed"
    assert api.show()["best"]["number"] == 59


def test_threads_that_complete_and_claim_in_one_request_complete_exactly_the_budget(api: Api) -> None:
    api.submit(budget={"trials": 40}, max_parallel=5)

    def work(place: int) -> int:
        done, claimed = 0, api.claim(1, worker=f"w{place}")
        while claimed:
            answer = ok(api.complete(claimed[0], 0.1, claim_next=1))
            claimed, done = answer["claimed"]["trials"], done + 1
            assert done <= 40
        return done

    with ThreadPoolExecutor(5) as pool:
        assert sum(pool.map(work, range(5))) == 40
    assert api.counts() == {"completed": 40}


def test_threads_of_one_name_that_come_at_once_are_all_served(api: Api) -> None:
    api.submit(budget={"trials": 16})
    gate = threading.Barrier(8)

    def work(_: int) -> list[int]:
        gate.wait()
        return [trial["number"] for trial in api.claim(2, worker="twin")]

    with ThreadPoolExecutor(8) as pool:
        numbers = [number for claimed in pool.map(work, range(8)) for number in claimed]
    assert sorted(numbers) == list(range(16))


def test_no_more_run_at_once_than_max_parallel(api: Api) -> None:
    api.submit(budget={"trials": 9}, max_parallel=2)
    first = api.claim(5)
    assert len(first) == 2
    assert api.claim(5, worker="bob") == []
    ok(api.complete(first[0]))
    assert len(api.claim(5, worker="bob")) == 1


def test_a_claim_asked_again_under_its_request_id_gets_the_same_leases(api: Api) -> None:
    api.submit(budget={"trials": 9})
    first = api.claim(3, request_id="r1")
    assert api.claim(3, request_id="r1") == first
    ok(api.complete(first[0]))
    assert [trial["id"] for trial in api.claim(3, request_id="r1")] == [trial["id"] for trial in first[1:]]
    assert first[1]["last_epoch"] is None
    ok(api.tell(first[1], "report", epochs=[{"epoch": 1, "score": 0.1}, {"epoch": 2, "score": 0.2}]))
    assert api.claim(3, request_id="r1")[0]["last_epoch"] == 2
    other = api.claim(1, worker="bob", request_id="r1")
    assert other[0]["id"] not in {trial["id"] for trial in first}
    assert api.claim(1, request_id="r2")[0]["id"] != other[0]["id"]


def test_a_worker_gets_only_objectives_that_it_names(api: Api) -> None:
    api.submit("one")
    api.submit("two", objective={"name": "valley"})
    assert {trial["study_name"] for trial in api.claim(99)} == {"one"}
    assert {trial["study_name"] for trial in api.claim(99, objectives=["valley", "hill"])} == {"two"}
    assert api.claim(99, objectives=["hill"]) == []
    assert api.claim(99, study="two") == []


def test_a_study_that_cannot_give_more_leaves_the_worker_to_the_next_one(api: Api) -> None:
    for name in ("full", "paused", "free"):
        api.submit(name, max_parallel=1, budget={"trials": 3})
        api.clock.move(1)
    ok(api.post("/studies/paused/pause"))
    assert [trial["study_name"] for trial in api.claim(9)] == ["full", "free"]


def test_a_claim_for_one_study_comes_from_it_by_name_or_id(api: Api) -> None:
    api.submit("one")
    second = api.submit("two")
    assert api.claim_one(study="two")["study"] == second["id"]
    assert api.claim_one(study=second["id"])["study"] == second["id"]
    refused(api.post("/claims", {"worker": "a", "objectives": ["bowl"], "study": "three"}), 404, "study-not-found")


def test_search_trials_go_to_workers_that_take_that_purpose(api: Api) -> None:
    api.submit()
    assert api.claim(purposes=["confirmation", "final_test"]) == []
    assert len(api.claim(purposes=["search"])) == 1


def test_a_waiting_claim_wakes_when_a_study_is_submitted(api: Api) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(api.claim, 1, wait_seconds=30)
        while not ok(api.get("/workers"))["items"]:
            pass
        api.submit()
        assert len(waiting.result(timeout=120)) == 1


def test_a_waiting_claim_wakes_when_a_trial_is_given_back(api: Api) -> None:
    api.submit(budget={"trials": 1})
    held = api.claim_one()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(api.claim, 1, worker="bob", wait_seconds=30)
        while len(ok(api.get("/workers"))["items"]) < 2:
            pass
        ok(api.tell(held, "release"))
        assert waiting.result(timeout=120)[0]["id"] == held["id"]


def test_a_claim_whose_wait_runs_out_gets_nothing(api: Api) -> None:
    assert api.claim(1, wait_seconds=0.01) == []


@pytest.mark.parametrize("path", ["/claims/{id}/release", "/claimsX{id}/release"])
def test_a_path_that_only_begins_like_a_call_of_a_worker_is_none(api: Api, path: str) -> None:
    api.submit()
    claimed = api.claim_one()
    assert api.post(path.format(id=claimed["id"]), {"lease": claimed["lease"]["token"]}).status_code == 404
    assert api.counts() == {"running": 1}


def test_a_claim_is_no_call_on_a_trial(api: Api) -> None:
    asked = {"worker": "ann", "objectives": ["bowl"]}
    assert api.post("/trials/5/claims", asked).status_code == 404


def test_workers_are_counted_with_what_they_did(api: Api) -> None:
    api.submit(budget={"trials": 3})
    first, second, _ = api.claim(3)
    ok(api.complete(first))
    ok(api.tell(second, "fail", message="no"))
    (worker,) = ok(api.get("/workers"))["items"]
    assert worker["name"] == "ann"
    assert worker["objectives"] == ["bowl"]
    assert (worker["running"], worker["completed"], worker["failed"]) == (1, 1, 1)
    assert api.show()["warnings"] == []


def test_workers_are_listed_page_by_page(api: Api) -> None:
    names = ["ann", "b/ob", "çal", "dan", "Eve"]
    for name in names:
        api.claim(worker=name)
    whole = ok(api.get("/workers"))
    assert (len(whole["items"]), whole["next_cursor"]) == (5, None)
    pages = [ok(api.get("/workers", params={"limit": 2}))]
    while cursor := pages[-1]["next_cursor"]:
        pages.append(ok(api.get("/workers", params={"limit": 2, "cursor": cursor})))
    assert [len(page["items"]) for page in pages] == [2, 2, 1]
    assert [worker for page in pages for worker in page["items"]] == whole["items"]
    for wrong in ("WzFd", "WyIiXQ==", "nonsense"):
        assert refused(api.get("/workers", params={"cursor": wrong}), 422, "invalid-input")["field"] == "cursor"


def test_a_study_of_a_small_space_ends_when_the_space_is_used_up(api: Api) -> None:
    space = {"k": {"type": "categorical", "choices": ["a", "b", "c"]}}
    study = api.submit(space=space, search={"algorithm": "grid", "seed": 0}, budget={"trials": 10})
    assert study["warnings"]
    claimed = api.claim(10)
    assert sorted(trial["params"]["k"] for trial in claimed) == ["a", "b", "c"]
    for trial in claimed:
        ok(api.complete(trial))
    api.claim(1)
    assert (api.show()["status"], api.show()["ended_by"]) == ("completed", "space")


def test_grid_levels_make_every_combination_once(api: Api) -> None:
    axis = {"type": "float", "low": 1e-4, "high": 1.0, "scale": "log"}
    search = {"algorithm": "grid", "seed": 0, "settings": {"levels": {"a": 3, "b": 2}}}
    api.submit(space={"a": axis, "b": axis}, search=search, budget={"trials": 6})
    points = [tuple(sorted(trial["params"].items())) for trial in api.claim(3) + api.claim(9)]
    assert len(set(points)) == 6
    assert sorted({dict(point)["a"] for point in points}) == [1e-4, *_inner(points), 1.0]


def _inner(points: list[tuple[tuple[str, float], ...]]) -> list[float]:
    inner = sorted({dict(point)["a"] for point in points} - {1e-4, 1.0})
    assert len(inner) == 1
    assert abs(inner[0] - 1e-2) < 1e-9, "the middle of a log scale"
    return inner


def test_a_grid_without_levels_is_spread_over_the_budget(api: Api) -> None:
    axis = {"type": "float", "low": 0.0, "high": 1.0}
    api.submit(space={"a": axis, "b": axis}, search={"algorithm": "grid", "seed": 0}, budget={"trials": 9})
    points = [trial["params"] for trial in api.claim(9)]
    assert len({(point["a"], point["b"]) for point in points}) == 9
    assert sorted({point["a"] for point in points}) == sorted({point["b"] for point in points}) == [0.0, 0.5, 1.0]
