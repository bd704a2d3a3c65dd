"""A past suggestion, computed again from what was known when it was made."""

import pytest

from tests.integration.harness import Api, ok, refused

pytestmark = pytest.mark.usefixtures("suggesting_on_demand")

BAYESIAN = {"algorithm": "bayesian", "seed": 1, "settings": {"initial": 3, "candidates": 50}}


def replayed(api: Api, number: int) -> dict[str, object]:
    answer: dict[str, object] = ok(api.get(f"/studies/study/trials/{number}/replay"))
    return answer


def finish(api: Api, claimed: dict[str, object]) -> None:
    ok(api.complete(claimed, -abs(claimed["params"]["lr"] - 0.01)))  # type: ignore[index]


@pytest.mark.parametrize("algorithm", ["random", "sobol", "grid"])
def test_every_suggestion_made_at_a_claim_comes_out_again(api: Api, algorithm: str) -> None:
    api.submit(search={"algorithm": algorithm, "seed": 1}, budget={"trials": 9})
    for count in (1, 4, 2):
        for claimed in api.claim(count):
            finish(api, claimed)
    for trial in api.trials():
        again = replayed(api, trial["number"])
        assert again["equal"] is True
        assert again["replayed"] == again["params"] == trial["params"]


def test_what_a_model_suggested_comes_out_again_though_more_is_known_since(api: Api) -> None:
    api.submit(search=BAYESIAN, budget={"trials": 10})
    held = None
    for _ in range(4):
        api.suggest()
        for claimed in api.claim(2):
            if held is None:
                held = claimed
            else:
                finish(api, claimed)
    assert held is not None
    finish(api, held)
    numbers = [trial["number"] for trial in api.trials()]
    assert max(numbers) >= 7
    for number in numbers:
        assert replayed(api, number)["equal"] is True
    late = api.trial(7)["provenance"]
    assert late["known"] >= 4
    assert held["number"] in late["pending"]


def test_a_round_opened_since_does_not_change_what_was_suggested_before(api: Api) -> None:
    api.submit(search=BAYESIAN, budget={"trials": 8})
    for _ in range(2):
        api.suggest()
        for claimed in api.claim(2):
            finish(api, claimed)
    ok(api.post("/studies/study/rounds", {"ranges": {"lr": {"low": 1e-3, "high": 1e-2}}}), 201)
    api.suggest()
    (claimed,) = api.claim(1)
    assert replayed(api, 3)["equal"] is True
    assert replayed(api, claimed["number"])["equal"] is True


def test_values_by_hand_were_never_suggested(api: Api) -> None:
    api.submit()
    ok(api.post("/studies/study/trials", {"trials": [{"params": {"lr": 1e-3}}]}), 201)
    problem = refused(api.get("/studies/study/trials/0/replay"), 409, "not-replayable")
    assert "enqueued" in problem["detail"]


def test_a_trial_tried_again_since_is_no_longer_the_failure_that_was_known(api: Api) -> None:
    api.submit(search=BAYESIAN, budget={"trials": 8})
    api.suggest()
    first, second = api.claim(2)
    ok(api.tell(first, "fail", reason="error", message="no"))
    finish(api, second)
    api.suggest()
    for claimed in api.claim(2):
        finish(api, claimed)
    api.suggest()
    (late,) = api.claim(1)
    assert late["number"] > 3
    ok(api.post(f"/studies/study/trials/{first['number']}/retry"))
    problem = refused(api.get(f"/studies/study/trials/{late['number']}/replay"), 409, "not-replayable")
    assert "tried again" in problem["detail"]


def test_a_trial_of_another_number_is_not_there(api: Api) -> None:
    api.submit()
    refused(api.get("/studies/study/trials/99/replay"), 404, "trial-not-found")
