"""The best trials trained again: with what seeds, what is made of them, and what is refused."""

import pytest

from tests.integration.confirming import confirm, run_all, searched
from tests.integration.harness import Api, Json, ok, refused


def confirmation(api: Api) -> Json:
    answer: Json = ok(api.get("/studies/study/confirmation"))
    return answer


def test_the_best_are_trained_again_with_seeds_that_they_share(api: Api) -> None:
    searched(api)
    answer = confirm(api, n=2, seeds=3)
    assert (answer["status"], answer["seeds"], answer["new_splits"]) == ("waiting", 3, False)
    assert [(item["trial"], item["rank"], item["mean"]) for item in answer["items"]] == [
        (1, None, None),
        (3, None, None),
    ]
    repeats = api.trials(purpose="confirmation")
    assert [trial["source"] for trial in repeats] == [1, 3] * 3
    seeds = [trial["seed"] for trial in repeats]
    assert seeds[::2] == seeds[1::2]
    assert len({*seeds, *(trial["seed"] for trial in api.trials())}) == 3 + 4
    claimed = api.claim(9)
    assert [one["purpose"] for one in claimed] == ["confirmation"] * 6
    assert {one["split_seed"] for one in claimed} == {7}
    assert claimed[0]["params"] == api.trial(1)["params"]
    assert confirmation(api)["status"] == "running"


def test_the_answer_is_means_intervals_and_who_leads(api: Api) -> None:
    searched(api)
    confirm(api, n=3, seeds=3)
    run_all(api, {1: [0.70, 0.72, 0.71], 3: [0.80, 0.82, 0.81], 2: [0.79, 0.82, 0.80]})
    answer = confirmation(api)
    assert answer["status"] == "completed"
    first, second, third = answer["items"]
    assert [item["trial"] for item in answer["items"]] == [3, 2, 1]
    assert [item["leader"] for item in answer["items"]] == [True, True, False]
    assert (first["rank"], first["search_value"], first["difference"]) == (1, 0.8, None)
    assert first["values"] == [0.80, 0.82, 0.81]
    assert first["interval"] == pytest.approx([0.81 - 0.0248414, 0.81 + 0.0248414], abs=1e-6)
    assert third["difference"]["mean"] == pytest.approx(-0.1)
    assert third["difference"]["p"] < 0.05 < second["difference"]["p"]
    assert api.trial(first["repeats"][0])["source"] == 3


def test_fresh_splits_are_one_a_seed_and_shared_as_the_seeds_are(api: Api) -> None:
    searched(api)
    confirm(api, n=2, seeds=2, new_splits=True)
    splits = [claimed["split_seed"] for claimed in api.claim(9)]
    assert splits[0] == splits[1] != splits[2] == splits[3]
    assert 7 not in splits
    document = refused(api.post("/studies/study/confirmation", {"n": 2}), 409, "confirmation-differs")
    assert '"new_splits": true' in document["detail"]


def test_asked_again_only_what_is_missing_is_added(api: Api) -> None:
    searched(api)
    confirm(api, n=1, seeds=2)
    run_all(api, {1: [0.8, 0.9]})
    assert len(confirm(api, n=1, seeds=2)["items"][0]["repeats"]) == 2
    answer = confirm(api, n=2, seeds=3)
    assert (answer["status"], answer["seeds"]) == ("running", 3)
    assert {item["trial"]: item["missing"] for item in answer["items"]} == {1: 1, 3: 3}
    assert answer["items"][0]["values"] == [0.8, 0.9]
    assert len(api.trials(purpose="confirmation")) == 6
    assert len(confirm(api, trials=[3, 0, 3], seeds=1)["items"]) == 3
    assert len(api.trials(purpose="confirmation")) == 7


def test_without_a_body_the_best_five_are_trained_five_times(api: Api) -> None:
    searched(api)
    answer = ok(api.post("/studies/study/confirmation"))
    assert [len(item["repeats"]) for item in answer["items"]] == [5] * 4


def test_the_same_key_confirms_once(api: Api) -> None:
    searched(api)
    key = {"Idempotency-Key": "once"}
    first = ok(api.post("/studies/study/confirmation", {"n": 1}, headers=key))
    api.claim(1)
    assert ok(api.post("/studies/study/confirmation", {"n": 1}, headers=key)) == first


def test_a_confirmation_leaves_the_search_as_it_was(api: Api) -> None:
    searched(api, budget={"trials": 4, "epochs": 100})
    before = api.show()
    confirm(api, n=4, seeds=2)
    for claimed in api.claim(8):
        ok(api.tell(claimed, "report", epochs=[{"epoch": n} for n in range(1, 101)]))
        ok(api.complete(claimed, 0.99))
    assert api.show() == before
    assert [trial["number"] for trial in api.trials()] == [0, 1, 2, 3]
    assert ok(api.get("/studies/study/best"))["items"][0]["value"] == 0.9
    assert ok(api.patch("/studies/study", {"budget": {"trials": 5}}))["status"] == "running"
    assert api.claim_one()["number"] == 12


def test_a_bound_at_which_the_search_gives_up_is_none_for_a_confirmation(api: Api) -> None:
    api.submit(budget={"trials": 9, "target": 0.9})
    api.run([0.5, 0.9])
    assert api.show()["ended_by"] == "target"
    confirm(api, n=1, seeds=2)
    api.sweep()
    assert len(api.claim(9)) == 2


def test_a_search_whose_space_runs_out_where_repeats_wait_ends(api: Api) -> None:
    choices = {"type": "categorical", "choices": [0.1, 0.2]}
    api.submit(space={"lr": choices}, search={"algorithm": "grid", "seed": 0}, budget={"trials": 9})
    api.run([0.5, 0.9])
    confirm(api, n=1, seeds=1)
    (repeat,) = api.claim(2)
    assert repeat["purpose"] == "confirmation"
    assert (api.show()["status"], api.show()["ended_by"]) == ("completed", "space")


def test_most_trials_at_once_count_whatever_they_are_for(api: Api) -> None:
    searched(api, max_parallel=2)
    confirm(api, n=1, seeds=5)
    assert len(api.claim(9)) == 2
    assert api.claim(9) == []


def test_time_begins_to_count_with_the_search(api: Api) -> None:
    api.submit(budget={"trials": 2, "seconds": 60})
    ok(api.post("/studies/study/trials", {"trials": [{"params": {"lr": 0.1}, "value": 0.4}]}), 201)
    confirm(api, seeds=1)
    api.claim(1, purposes=["confirmation"])
    assert api.show()["started_at"] is None


def test_repeats_that_fail_are_missing_and_one_that_diverges_costs_the_rank(api: Api) -> None:
    searched(api)
    confirm(api, n=2, seeds=2)
    first, second, third, fourth = api.claim(4)
    ok(api.complete(first, 0.9))
    ok(api.complete(second, 0.5))
    ok(api.tell(third, "fail", reason="diverged", message="nan"))
    ok(api.tell(fourth, "fail", reason="error", message="disk"))
    better, worse = confirmation(api)["items"]
    assert (better["trial"], better["missing"], better["diverged"]) == (3, 1, 0)
    assert (worse["trial"], worse["missing"], worse["diverged"]) == (1, 1, 1)
    ok(api.post(f"/studies/study/trials/{fourth['number']}/retry"))
    assert confirmation(api)["status"] == "running"
    assert api.claim_one()["seed"] == fourth["seed"]


def test_what_cannot_be_confirmed_is_refused_with_the_way_out(api: Api) -> None:
    api.submit()
    refused(api.get("/studies/study/confirmation"), 404, "confirmation-not-found")
    refused(api.post("/studies/study/confirmation", {}), 409, "nothing-to-confirm")
    ok(api.tell(api.claim_one(), "fail", message="x"))
    for asked, field in (
        ({"trials": [0]}, "trials.0"),
        ({"trials": [99]}, "trials.0"),
        ({"trials": []}, "trials"),
        ({"n": 0}, "n"),
        ({"seeds": 101}, "seeds"),
        ({"n": 100, "seeds": 11}, "seeds"),
        ({"new_splits": 1}, "new_splits"),
    ):
        document = refused(api.post("/studies/study/confirmation", asked), 422, "invalid-input")
        assert document["field"] == field
    ok(api.post("/studies/study/stop"))
    refused(api.post("/studies/study/confirmation", {}), 409, "transition-refused")
    refused(api.post("/studies/study/final-test", {"trial": 0}), 409, "transition-refused")


def test_as_many_trials_are_compared_as_there_is_time_for(api: Api) -> None:
    api.submit()
    given = [{"params": {"lr": 0.001 * n}, "value": 0.5} for n in range(1, 102)]
    ok(api.post("/studies/study/trials", {"trials": given}), 201)
    assert len(confirm(api, n=100, seeds=1)["items"]) == 100
    document = refused(api.post("/studies/study/confirmation", {"trials": [100], "seeds": 1}), 422, "invalid-input")
    assert "makes 101 trials to compare" in document["detail"]
    assert len(confirm(api, trials=[99], seeds=2)["items"]) == 100


def test_weights_are_kept_of_search_trials_alone(api: Api) -> None:
    searched(api, keep_weights="best")
    confirm(api, n=1, seeds=1)
    claimed = api.claim_one()
    assert claimed["keep_weights"] is None
    path = f"/api/v1/trials/{claimed['id']}/weights"
    answer = api.client.put(path, params={"lease": claimed["lease"]["token"]}, content=b"x")
    refused(answer, 422, "invalid-input")
