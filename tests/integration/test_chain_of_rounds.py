"""Rounds that follow each other: undone, opened by themselves, and never such as the objective would refuse."""

import math
from itertools import pairwise

import pytest

from tests.integration.harness import LOG_RANGE, Api, Json, ok, refused

pytestmark = pytest.mark.usefixtures("suggesting_on_demand")


def test_a_study_that_narrows_by_itself_closes_in_every_so_many_trials(api: Api) -> None:
    api.submit(narrowing={"policy": "leaders", "every": 5, "settings": {"top": 3}}, budget={"trials": 15})
    while claimed := api.claim(1):
        ok(api.complete(claimed[0], -abs(claimed[0]["params"]["lr"] - 0.01)))
    rounds = ok(api.get("/studies/study/rounds"))["items"]
    assert len(rounds) == 3
    assert [one["origin"] for one in rounds[1:]] == ["automatic"] * 2
    for outer, inner in pairwise(one["ranges"]["lr"] for one in rounds):
        assert outer["low"] <= inner["low"] < inner["high"] <= outer["high"]
    trials = api.trials()
    assert [trial["round"] for trial in trials] == [0] * 5 + [1] * 5 + [2] * 5
    for trial in trials:
        box = rounds[trial["round"]]["ranges"]["lr"]
        assert box["low"] * (1 - 1e-9) <= trial["params"]["lr"] <= box["high"] * (1 + 1e-9)
    assert api.counts() == {"completed": 15}


def hand(api: Api, high: float) -> Json:
    opened: Json = ok(api.post("/studies/study/rounds", {"ranges": {"lr": {"high": high}}}), 201)
    return opened


def test_a_round_is_undone_by_a_child_of_its_grandparent_with_the_ranges_of_its_parent(api: Api) -> None:
    api.submit()
    first, second = hand(api, 0.05), hand(api, 0.01)
    assert (first["parent"], second["parent"]) == (0, 1)
    undone = ok(api.post("/studies/study/rounds", {"from": "undo"}), 201)
    assert (undone["number"], undone["parent"], undone["origin"]) == (3, 0, "undo of round 2")
    assert undone["ranges"] == first["ranges"]
    assert api.show()["round"] == 3
    third = hand(api, 0.02)
    assert third["parent"] == 3
    assert api.show()["chain"] == [0, 3, 4]


def test_the_first_round_after_the_one_submitted_is_undone_to_that(api: Api) -> None:
    api.submit()
    submitted = ok(api.get("/studies/study/rounds"))["items"][0]
    hand(api, 0.01)
    undone = ok(api.post("/studies/study/rounds", {"from": "undo"}), 201)
    assert undone["ranges"] == submitted["ranges"]
    assert api.show()["chain"] == [0, 2]


def test_round_0_cannot_be_undone(api: Api) -> None:
    api.submit()
    problem = refused(api.post("/studies/study/rounds", {"from": "undo"}), 409, "transition-refused")
    assert "no round before it" in problem["detail"]


def test_what_an_undone_round_had_suggested_is_drawn_anew(api: Api) -> None:
    api.submit(search={"algorithm": "bayesian", "seed": 1})
    api.suggest()
    hand(api, 2e-3)
    api.suggest()
    ok(api.post("/studies/study/rounds", {"from": "undo"}), 201)
    api.suggest()
    assert {claimed["number"] for claimed in api.claim(2)} == {0, 1}
    assert {trial["round"] for trial in api.trials()} == {2}


def test_an_undone_round_is_not_undone_once_more(api: Api) -> None:
    api.submit()
    hand(api, 0.01)
    ok(api.post("/studies/study/rounds", {"from": "undo"}), 201)
    problem = refused(api.post("/studies/study/rounds", {"from": "undo"}), 409, "transition-refused")
    assert "ranges of the round before it already" in problem["detail"]


def test_no_range_is_proposed_that_the_objective_would_refuse_and_no_result_is_lost_by_it(api: Api) -> None:
    net = {"name": "multi_layer_net", "settings": {"dataset": "digits", "train_size": 200, "batch_norm": True}}
    batch = {"type": "int", "low": 2, "high": 64, "scale": "log", "limit": {"low": 1}}
    api.submit(
        objective=net,
        metric={"name": "validation_accuracy"},
        space={"batch_size": batch},
        narrowing={"policy": "evidence", "every": 20},
        budget={"trials": 40},
    )
    for _ in range(40):
        claimed = api.claim_one(objectives=["multi_layer_net"])
        ok(api.complete(claimed, 1 / claimed["params"]["batch_size"]))
    assert api.counts() == {"completed": 40}
    for opened in ok(api.get("/studies/study/rounds"))["items"]:
        assert opened["ranges"]["batch_size"]["low"] >= 2


@pytest.mark.parametrize("limit", [None, {"high": 100.0}])
def test_a_study_widens_by_itself_only_where_the_user_has_said_how_far(api: Api, limit: Json | None) -> None:
    api.submit(
        space={"lr": LOG_RANGE | ({} if limit is None else {"limit": limit})},
        narrowing={"policy": "evidence", "every": 30},
        budget={"trials": 60},
    )
    low, high = 1e-4, 1.0
    while claimed := api.claim(1):
        ok(api.complete(claimed[0], math.log(claimed[0]["params"]["lr"])))
    rounds = ok(api.get("/studies/study/rounds"))["items"]
    assert rounds[1]["origin"] == "automatic"
    assert rounds[1]["evidence"]["ranges"]["lr"]["verdict"] == "widen"
    opened = rounds[1]["ranges"]["lr"]
    assert opened["low"] > low
    assert (opened["high"] > high) if limit else (opened["high"] == high)


def test_trials_that_are_lost_together_open_one_round(api: Api) -> None:
    plan = {"policy": "leaders", "every": 2, "settings": {"top": 2}}
    api.submit(narrowing=plan, budget={"trials": 20}, retry={"max_attempts": 1})
    for number, claimed in enumerate(api.claim(2)):
        ok(api.complete(claimed, number / 10))
    best, *_ = api.claim(4)
    ok(api.complete(best, 0.9))
    api.clock.move(31)
    api.sweep()
    assert api.counts() == {"completed": 3, "failed": 3}
    assert [one["parent"] for one in ok(api.get("/studies/study/rounds"))["items"]] == [None, 0, 1]
