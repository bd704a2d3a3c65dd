"""Studies: submitted, listed, steered, changed, cloned, deleted."""

from typing import Any

import pytest

from tests.integration.harness import Api, ok, refused, spec, without


def test_a_submitted_study_answers_with_where_it_is_and_what_was_asked_for(api: Api) -> None:
    asked = spec(tags=["a", "b"], description="first", narrowing={"policy": "leaders", "every": 2})
    response = api.post("/studies", asked)
    study = ok(response, 201)
    assert response.headers["location"] == f"/api/v1/studies/{study['id']}"
    assert study["status"] == "running"
    assert study["round"] == 0
    assert study["best"] is None
    assert study["budget"]["trials"] == 4
    assert study["space"]["lr"]["low"] == 1e-4
    assert study["tags"] == ["a", "b"]
    assert study["warnings"], "nobody has announced the objective"
    assert without(api.show(study["id"]), "eta_seconds") == without(study, "eta_seconds")
    assert api.show("study") == api.show(study["id"])


def test_a_study_without_a_seed_is_given_one(api: Api) -> None:
    study = api.submit(search={"algorithm": "random"})
    assert isinstance(study["search"]["seed"], int)


def test_a_name_is_unique(api: Api) -> None:
    api.submit("one")
    refused(api.post("/studies", spec("one")), 409, "study-name-taken")
    api.submit("two")


def test_a_deleted_study_frees_its_name(api: Api) -> None:
    first = api.submit("one")
    refused(api.delete("/studies/one"), 409, "study-is-running")
    ok(api.post("/studies/one/stop"))
    assert api.delete("/studies/one").status_code == 204
    refused(api.get("/studies/one"), 404, "study-not-found")
    assert api.submit("one")["id"] != first["id"]


def test_deleting_a_study_takes_its_trials_along_and_no_others(api: Api) -> None:
    api.submit("one")
    claimed = api.claim_one()
    api.submit("two")
    other = api.claim_one(study="two")
    ok(api.post("/studies/one/pause"))
    assert api.delete("/studies/one").status_code == 204
    refused(api.complete(claimed), 404, "trial-not-found")
    ok(api.complete(other))


def test_lists_filter_by_status_tag_and_name(api: Api) -> None:
    api.submit("a", tags=["x"])
    api.submit("b", tags=["x", "y"])
    api.submit("c")
    ok(api.post("/studies/b/pause"))

    def names(**query: Any) -> list[str]:
        return [study["name"] for study in ok(api.get("/studies", params=query))["items"]]

    assert names() == ["a", "b", "c"] or sorted(names()) == ["a", "b", "c"]
    assert names(status="paused") == ["b"]
    assert sorted(names(tag="x")) == ["a", "b"]
    assert names(tag="y", status="running") == []
    assert names(name="c") == ["c"]
    assert names(name="d") == []


def test_pages_of_studies_hold_each_study_once_oldest_first(api: Api) -> None:
    for number in range(7):
        api.submit(f"s{number}")
        api.clock.move(1)
    seen: list[str] = []
    cursor = None
    while True:
        query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = ok(api.get("/studies", params=query))
        assert len(page["items"]) <= 3
        seen += [study["name"] for study in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [f"s{number}" for number in range(7)]


def test_a_limit_above_the_most_is_lowered_and_one_below_one_is_refused(api: Api) -> None:
    api.submit()
    assert len(ok(api.get("/studies", params={"limit": 10**9}))["items"]) == 1
    for limit in (0, -1):
        assert refused(api.get("/studies", params={"limit": limit}), 422, "invalid-input")["field"] == "limit"


def test_a_paused_study_gives_out_nothing_until_it_is_resumed(api: Api) -> None:
    api.submit()
    running = api.claim_one()
    assert ok(api.post("/studies/study/pause"))["status"] == "paused"
    assert ok(api.post("/studies/study/pause"))["status"] == "paused"
    assert api.claim() == []
    ok(api.complete(running))
    assert ok(api.post("/studies/study/resume"))["status"] == "running"
    assert len(api.claim(10)) == 3


def test_a_study_whose_last_trial_ends_while_it_is_paused_is_completed(api: Api) -> None:
    api.submit(budget={"trials": 1})
    claimed = api.claim_one()
    ok(api.post("/studies/study/pause"))
    ok(api.complete(claimed))
    assert api.show()["status"] == "completed"


def test_stop_cancels_what_waits_and_tells_what_runs(api: Api) -> None:
    api.submit(budget={"trials": 5})
    ok(api.post("/studies/study/trials", {"trials": [{"params": {"lr": 0.1}}, {"params": {"lr": 0.2}}]}), 201)
    running = api.claim_one()
    assert ok(api.post("/studies/study/stop"))["status"] == "stopped"
    assert api.counts() == {"running": 1, "cancelled": 1}
    told = ok(api.tell(running, "report", epochs=[{"epoch": 1, "loss": 1.0}]))
    assert told["action"] == "stop"
    assert told["reason"]
    assert api.counts() == {"cancelled": 2}
    refused(api.tell(running, "report"), 409, "lease-lost")
    assert api.claim() == []
    for refusal in ("resume", "pause"):
        refused(api.post(f"/studies/study/{refusal}"), 409, "transition-refused")
    refused(api.post("/studies/study/trials", {"trials": [{"params": {"lr": 0.1}}]}), 409, "transition-refused")
    refused(api.post("/studies/study/trials/0/retry"), 409, "transition-refused")


def test_a_result_that_comes_after_stop_still_counts(api: Api) -> None:
    api.submit()
    claimed = api.claim_one()
    ok(api.post("/studies/study/stop"))
    assert ok(api.complete(claimed, 0.9))["trial"]["status"] == "completed"
    assert api.show()["best"]["value"] == 0.9
    assert api.show()["status"] == "stopped"


def test_a_raised_budget_lets_a_completed_study_run_again(api: Api) -> None:
    api.submit(budget={"trials": 2})
    api.run([0.1, 0.2])
    assert api.show()["status"] == "completed"
    assert api.claim() == []
    refused(api.post("/studies/study/resume"), 409, "transition-refused")
    raised = ok(api.patch("/studies/study", {"budget": {"trials": 5}}))
    assert raised["status"] == "running"
    assert raised["finished_at"] is None
    assert raised["budget"]["trials"] == 5
    api.run([0.3, 0.4, 0.5])
    assert api.claim() == []
    assert api.show()["status"] == "completed"
    assert [trial["number"] for trial in api.trials()] == [0, 1, 2, 3, 4]


def test_a_lowered_budget_ends_a_study_once_what_runs_has_ended(api: Api) -> None:
    api.submit(budget={"trials": 10})
    api.run([0.1, 0.2])
    running = api.claim_one()
    assert ok(api.patch("/studies/study", {"budget": {"trials": 1}}))["status"] == "running"
    assert api.claim() == []
    ok(api.complete(running))
    assert api.show()["status"] == "completed"


def test_a_budget_lowered_to_what_is_done_completes_the_study(api: Api) -> None:
    api.submit(budget={"trials": 10})
    api.run([0.1, 0.2])
    assert ok(api.patch("/studies/study", {"budget": {"trials": 2}}))["status"] == "completed"


def test_a_patch_merges(api: Api) -> None:
    api.submit(budget={"trials": 10, "seconds": 60}, tags=["a"], description="old")
    changed = ok(api.patch("/studies/study", {"budget": {"seconds": None}, "tags": ["b", "c"]}))
    assert changed["budget"].get("trials") == 10
    assert changed["budget"].get("seconds") is None
    assert (changed["tags"], changed["description"]) == (["b", "c"], "old")
    assert ok(api.patch("/studies/study", {"description": "new"}))["tags"] == ["b", "c"]
    assert [s["name"] for s in ok(api.get("/studies", params={"tag": "b"}))["items"]] == ["study"]
    assert ok(api.get("/studies", params={"tag": "a"}))["items"] == []


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        ({"budget": {"trials": None}}, "budget"),
        ({"budget": {"trials": 0}}, "budget.trials"),
        ({"budget": {"trials": 1.5}}, "budget.trials"),
        ({"budget": {"trials": "5"}}, "budget.trials"),
        ({"budget": {"trial": 5}}, "budget.trial"),
        ({"name": "other"}, "name"),
        ({"tags": "a"}, "tags"),
        ({"space": {}}, "space"),
    ],
)
def test_a_wrong_patch_names_its_field_and_changes_nothing(api: Api, patch: Any, field: str) -> None:
    before = api.submit()
    assert str(refused(api.patch("/studies/study", patch), 422, "invalid-input")["field"]).startswith(field)
    assert api.show() == before


def test_a_target_ends_a_study_and_so_does_time(api: Api) -> None:
    api.submit("aim", budget={"target": 0.9})
    api.submit("clock", budget={"seconds": 60})
    claims = [api.claim_one(study="aim") for _ in range(2)]
    ok(api.complete(claims[0], 0.5))
    assert api.show("aim")["status"] == "running"
    ok(api.complete(claims[1], 0.9))
    assert (api.show("aim")["status"], api.show("aim")["ended_by"]) == ("completed", "target")
    running = api.claim_one(study="clock")
    api.clock.move(20)
    ok(api.tell(running, "report"))
    api.clock.move(25)
    ok(api.tell(running, "report"))
    api.clock.move(20)
    api.sweep()
    assert api.claim(study="clock") == []
    ok(api.complete(running, 0.2))
    assert (api.show("clock")["status"], api.show("clock")["ended_by"]) == ("completed", "seconds")


def test_epochs_end_a_study(api: Api) -> None:
    api.submit(budget={"epochs": 3})
    claimed = api.claim_one()
    epochs = [{"epoch": number, "loss": 1.0} for number in (1, 2, 3)]
    ok(api.complete(claimed, epochs=epochs))
    assert api.claim() == []
    assert api.show()["ended_by"] == "epochs"


def test_a_clone_has_a_new_name_and_the_changes(api: Api) -> None:
    first = api.submit(description="old")
    api.run([0.1])
    clone = ok(api.post("/studies/study/clone", {"name": "again", "budget": {"trials": 9}}), 201)
    assert clone["id"] != first["id"]
    assert (clone["description"], clone["budget"]["trials"]) == ("old", 9)
    assert clone["counts"] == dict.fromkeys(clone["counts"], 0)
    assert clone["space"] == first["space"]
    refused(api.post("/studies/study/clone", {"name": "again"}), 409, "study-name-taken")
    assert refused(api.post("/studies/study/clone", {}), 422, "invalid-input")["field"] == "name"
    wrong = {"name": "third", "space": {"lr": {"type": "float", "low": 2, "high": 1}}}
    assert refused(api.post("/studies/study/clone", wrong), 422, "invalid-input")["field"] == "space.lr.high"
    refused(api.post("/studies/nobody/clone", {"name": "third"}), 404, "study-not-found")


def test_the_same_seed_draws_the_same_trials_on_every_database(api: Api) -> None:
    api.submit("one")
    api.submit("two")
    first = [trial["params"] for trial in api.claim(4, study="one")]
    second = [trial["params"] for trial in api.claim(2, study="two") + api.claim(2, study="two")]
    assert first == second
    assert len({params["lr"] for params in first}) == 4


def test_the_rest_of_the_time_is_told_from_the_pace_so_far(api: Api) -> None:
    api.submit(budget={"trials": 4})
    assert api.show()["eta_seconds"] is None
    claimed = api.claim_one()
    api.clock.move(10)
    ok(api.complete(claimed))
    assert api.show()["eta_seconds"] == 30
