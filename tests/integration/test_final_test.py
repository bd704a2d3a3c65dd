"""The final test: asked for once, handed out once, answered once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from service.domain.ranking import wilson
from tests.integration.confirming import confirm, final, run_all, searched
from tests.integration.harness import Api, ok, refused
from trainer import objectives

FINAL = {"purposes": ["final_test"]}
NET = {"name": "multi_layer_net", "settings": {"dataset": "digits", "train_size": 200}}


def confirmed(api: Api) -> None:
    """A study whose best two trials are confirmed, trial 3 as the better one."""
    searched(api)
    confirm(api, n=2, seeds=2)
    run_all(api, {1: [0.80, 0.82], 3: [0.84, 0.86]})


def test_the_final_test_takes_the_best_confirmed_trial_and_answers_once(api: Api) -> None:
    confirmed(api)
    refused(api.get("/studies/study/final-test"), 404, "final-test-not-found")
    asked = final(api)
    assert (asked["status"], asked["trial"], asked["opened_at"], asked["accuracy"]) == ("waiting", 3, None, None)
    assert api.claim(1) == []
    claimed = api.claim_one(**FINAL)
    assert (claimed["purpose"], claimed["params"], claimed["split_seed"]) == ("final_test", api.trial(3)["params"], 7)
    opened_at = final(api)["opened_at"]
    assert opened_at is not None
    api.clock.move(1)
    ok(api.complete(claimed, 0.85, samples=1_000))
    tested = ok(api.get("/studies/study/final-test"))
    assert (tested["status"], tested["accuracy"], tested["samples"]) == ("completed", 0.85, 1_000)
    expected = wilson(0.85, 1_000)
    assert tested["interval"] == pytest.approx([expected.low, expected.high])
    assert tested["opened_at"] == opened_at
    assert final(api) == final(api, trial=3) == tested
    refused(api.post("/studies/study/final-test", {"trial": 1}), 409, "another-trial-picked")
    refused(api.post(f"/studies/study/trials/{tested['number']}/retry"), 409, "transition-refused")
    assert len(api.trials(purpose="final_test")) == 1
    assert api.show()["counts"]["completed"] == 4


def test_a_final_test_by_number_needs_no_confirmation(api: Api) -> None:
    searched(api)
    document = refused(api.post("/studies/study/final-test"), 409, "nothing-confirmed")
    assert "POST to its confirmation" in document["detail"]
    confirm(api, n=1, seeds=2)
    assert "still goes on" in refused(api.post("/studies/study/final-test", {}), 409, "nothing-confirmed")["detail"]
    for claimed in api.claim(2):
        ok(api.tell(claimed, "fail", message="x"))
    assert "no repeat" in refused(api.post("/studies/study/final-test", {}), 409, "nothing-confirmed")["detail"]
    assert refused(api.post("/studies/study/final-test", {"trial": 4}), 422, "invalid-input")["field"] == "trial"
    assert final(api, trial=0)["trial"] == 0


def test_a_lost_final_test_is_run_again_with_the_same_seed_and_stays_opened_when_it_was(api: Api) -> None:
    searched(api, retry={"max_attempts": 2})
    final(api, trial=1)
    first = api.claim_one(**FINAL)
    opened_at = final(api)["opened_at"]
    api.clock.move(31)
    api.sweep()
    second = api.claim_one(**FINAL)
    assert (second["id"], second["seed"], second["attempt"]) == (first["id"], first["seed"], 2)
    api.clock.move(31)
    api.sweep()
    tested = final(api)
    assert (tested["status"], tested["failure"]["reason"]) == ("failed", "lost")
    refused(api.complete(first, 0.1), 409, "lease-lost")
    ok(api.post(f"/studies/study/trials/{tested['number']}/retry"))
    assert final(api)["status"] == "waiting"
    third = api.claim_one(**FINAL)
    assert third["seed"] == first["seed"]
    ok(api.complete(third, 0.8))
    answer = final(api)
    assert (answer["accuracy"], answer["interval"], answer["opened_at"]) == (0.8, None, opened_at)


def test_many_who_ask_at_once_get_one_final_test(api: Api) -> None:
    searched(api)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: api.post("/studies/study/final-test", {"trial": n % 2}), range(16)))
    assert sorted({answer.status_code for answer in answers}) == [200, 409]
    assert len({ok(answer)["trial"] for answer in answers if answer.status_code == 200}) == 1
    assert len(api.trials(purpose="final_test")) == 1


def test_a_final_test_follows_how_the_repeats_of_its_values_ended(api: Api) -> None:
    searched(api)
    confirm(api, n=2, seeds=2)
    for place, claimed in enumerate(api.claim(4)):
        ok(api.complete(claimed, 0.9, epochs=[{"epoch": 1}, {"epoch": 5 + place, "best_epoch": 3}]))
    final(api, trial=1)
    ends = [{"epoch": 5, "best_epoch": 3}, {"epoch": 7, "best_epoch": 3}]
    claimed = api.claim_one(request_id="r", **FINAL)
    assert claimed["curve_ends"] == ends
    api.clock.move(1)
    confirm(api, n=2, seeds=3)
    for repeat in api.claim(2):
        ok(api.complete(repeat, 0.9, epochs=[{"epoch": 50, "best_epoch": 50}]))
    assert api.claim_one(request_id="r", **FINAL)["curve_ends"] == ends


def test_an_objective_without_a_test_set_has_no_final_test(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.submit(objective=NET, metric={"name": "validation_accuracy"}, budget={"trials": 1})
    claimed = api.claim_one(objectives=["multi_layer_net"])
    ok(api.complete(claimed, 0.8, samples=40))
    monkeypatch.setattr(type(objectives.known()[0]), "has_test_set", False)
    refused(api.post("/studies/study/final-test", {"trial": 0}), 422, "no-test-set")
    monkeypatch.undo()
    assert final(api, trial=0)["status"] == "waiting"


def test_a_stopped_study_trains_nothing_more(api: Api) -> None:
    api.submit(budget={"trials": 9})
    api.run([0.5])
    confirm(api, n=1, seeds=2)
    final(api, trial=0)
    running = api.claim_one(purposes=["confirmation"])
    ok(api.post("/studies/study/stop"))
    assert ok(api.tell(running, "report"))["action"] == "stop"
    assert {trial["status"] for trial in api.trials(purpose="confirmation")} == {"cancelled"}
    assert final(api)["status"] == "cancelled"
    assert final(api)["opened_at"] is None


def test_a_study_is_deleted_with_what_was_confirmed_and_tested(api: Api) -> None:
    confirmed(api)
    final(api)
    ok(api.delete("/studies/study"), 204)
    assert api.claim(9, **FINAL) == []
