"""Which parameters matter, asked over REST."""

import random

from tests.integration.harness import Api, Json, ok, refused

UNIT = {"type": "float", "low": 0.0, "high": 1.0}


def imported(api: Api, count: int) -> None:
    """Trials of which the one parameter tells all and the other nothing."""
    source = random.Random(0)
    points = [{"tells": source.random(), "idle": source.random()} for _ in range(count)]
    trials = [{"params": point, "value": point["tells"]} for point in points]
    ok(api.post("/studies/study/trials", {"trials": trials}), 201)


def importance(api: Api) -> Json:
    answer: Json = ok(api.get("/studies/study/importance"))
    return answer


def test_what_matters_is_told_from_what_does_not(api: Api) -> None:
    api.submit(space={"tells": UNIT, "idle": UNIT})
    imported(api, 40)
    told = importance(api)
    assert told == importance(api)
    assert (told["study"], told["trials"]) == (api.show()["id"], 40)
    tells, idle = told["parameters"]["tells"], told["parameters"]["idle"]
    assert (tells["matters"], idle["matters"]) == (True, False)
    assert tells["importance"] > 0.9 > 0.1 > idle["importance"]
    assert tells["p_value"] < 0.05 < idle["p_value"]
    assert "Not told apart from noise" in idle["reason"]


def test_too_few_trials_are_an_answer_and_not_an_error(api: Api) -> None:
    api.submit(space={"tells": UNIT, "idle": UNIT})
    told = importance(api)
    assert told["trials"] == 0
    for parameter in told["parameters"].values():
        assert (parameter["importance"], parameter["p_value"], parameter["matters"]) == (None, None, False)
        assert "it takes 20 to judge" in parameter["reason"]


def test_trials_beyond_a_narrowed_round_count_where_they_lie(api: Api) -> None:
    api.submit(space={"tells": UNIT, "idle": UNIT})
    imported(api, 40)
    before = importance(api)
    ok(api.post("/studies/study/rounds", {"ranges": {"tells": {"low": 0.4, "high": 0.5}}}), 201)
    assert importance(api) == before
    ok(api.post("/studies/study/rounds", {"ranges": {"tells": {"low": 0.4, "high": 1e300}}}), 201)
    assert importance(api)["trials"] == 40


def test_trials_of_a_worker_count_whatever_their_end(api: Api) -> None:
    api.submit(budget={"trials": 24})
    for claimed in api.claim(24):
        lr = claimed["params"]["lr"]
        ok(api.tell(claimed, "fail", message="no") if lr > 0.1 else api.complete(claimed, -lr))
    told = importance(api)
    assert told["trials"] == 24
    assert told["parameters"]["lr"]["matters"] is True


def test_a_study_that_is_not_there_has_no_importance(api: Api) -> None:
    refused(api.get("/studies/none/importance"), 404, "study-not-found")
