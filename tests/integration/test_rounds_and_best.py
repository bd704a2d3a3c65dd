"""The best trials, what they say of the ranges, and rounds in the box that follows."""

from typing import Any

import pytest

from service.domain.ranking import wilson
from tests.integration.harness import LOG_RANGE, Api, Json, ok, refused

LEADERS = {"policy": "leaders", "settings": {"top": 3, "margin": 0.0}}


def imported(api: Api, *pairs: tuple[float, float], samples: int | None = None) -> list[Json]:
    trials = [{"params": {"lr": lr}, "value": value} | ({"samples": samples} if samples else {}) for lr, value in pairs]
    items: list[Json] = ok(api.post("/studies/study/trials", {"trials": trials}), 201)["items"]
    return items


def best(api: Api, **query: Any) -> list[Json]:
    items: list[Json] = ok(api.get("/studies/study/best", params=query))["items"]
    return items


def test_the_best_come_first_and_ties_go_to_the_lower_number(api: Api) -> None:
    api.submit()
    imported(api, (0.1, 0.5), (0.2, 0.9), (0.3, 0.9), (0.4, 0.7))
    assert [(trial["rank"], trial["number"]) for trial in best(api)] == [(1, 1), (2, 2), (3, 3), (4, 0)]
    assert [trial["number"] for trial in best(api, n=2)] == [1, 2]
    assert len(best(api, n=10**9)) == 4
    refused(api.get("/studies/study/best", params={"n": 0}), 422, "invalid-input")


def test_the_best_of_a_loss_is_the_lowest(api: Api) -> None:
    api.submit(metric={"name": "loss", "goal": "minimize"})
    imported(api, (0.1, 0.5), (0.2, -1.0), (0.3, 3.0))
    assert [trial["value"] for trial in best(api)] == [-1.0, 0.5, 3.0]
    assert api.show()["best"]["value"] == -1.0


def test_an_accuracy_over_known_samples_has_wilsons_interval(api: Api) -> None:
    api.submit()
    imported(api, (0.1, 0.83), (0.2, 0.80), (0.3, 0.20), samples=100)
    first, second, third = best(api)
    expected = wilson(0.83, 100)
    assert first["interval"] == pytest.approx([expected.low, expected.high])
    assert [trial["leader"] for trial in (first, second, third)] == [True, True, False]


def test_without_samples_there_is_no_interval(api: Api) -> None:
    api.submit()
    imported(api, (0.1, 0.83))
    assert best(api)[0]["interval"] is None
    assert best(api)[0]["leader"] is True


def test_the_lines_of_text_are_in_the_form_that_people_read(api: Api) -> None:
    space = {
        "lr": LOG_RANGE,
        "weight_decay": LOG_RANGE | {"low": 1e-8},
        "optimizer": {"type": "categorical", "choices": ["sgd", "adam"]},
    }
    api.submit(space=space)
    given = [
        {"params": {"lr": 0.0092, "weight_decay": 3.86e-07, "optimizer": "sgd"}, "value": 0.83},
        {"params": {"lr": 0.00971234, "weight_decay": 0.5, "optimizer": "adam"}, "value": 0.7},
    ]
    ok(api.post("/studies/study/trials", {"trials": given}), 201)
    response = api.get("/studies/study/best", headers={"Accept": "text/plain"})
    assert response.headers["content-type"].startswith("text/plain")
    assert response.text == (
        "Best-1 (val acc:0.83) | lr:0.0092, weight_decay:3.86e-07, optimizer:sgd\n"
        "Best-2 (val acc:0.7) | lr:0.00971, weight_decay:0.5, optimizer:adam\n"
    )


def test_trials_are_paged_in_every_order_each_once(api: Api) -> None:
    api.submit(budget={"trials": 3})
    imported(api, *[(0.01 * n, value) for n, value in enumerate([0.5, 0.1, 0.5, 0.9, 0.1], 1)])
    api.claim(3)

    def paged(sort: str) -> list[int]:
        seen: list[int] = []
        query: Json = {"sort": sort, "limit": 2}
        while True:
            page = ok(api.get("/studies/study/trials", params=query))
            seen += [trial["number"] for trial in page["items"]]
            if page["next_cursor"] is None:
                return seen
            query["cursor"] = page["next_cursor"]

    assert paged("number") == list(range(8))
    assert paged("value") == [1, 4, 0, 2, 3, 5, 6, 7]
    assert paged("-value") == [3, 0, 2, 1, 4, 5, 6, 7]
    assert [trial["number"] for trial in api.trials(status="running")] == [5, 6, 7]
    assert api.trials(round=1) == []
    assert api.trials(purpose="confirmation") == []


def test_enqueued_values_run_before_others_and_count(api: Api) -> None:
    api.submit(budget={"trials": 2})
    given = {"trials": [{"params": {"lr": 0.25}}]}
    (enqueued,) = ok(api.post("/studies/study/trials", given), 201)["items"]
    assert (enqueued["status"], enqueued["origin"]) == ("waiting", "enqueued")
    claimed = api.claim(9)
    assert claimed[0]["params"] == {"lr": 0.25}
    assert len(claimed) == 2
    refused(api.post("/studies/study/trials", given), 409, "budget-used-up")


def test_imported_results_do_not_count_against_the_budget(api: Api) -> None:
    api.submit(budget={"trials": 2})
    (item,) = imported(api, (5.0, 0.4))
    assert (item["status"], item["origin"], item["value"]) == ("completed", "imported", 0.4)
    answer = api.post("/studies/study/trials", {"trials": [{"params": {"lr": -5.0}, "value": 0.4}]})
    assert refused(answer, 422, "invalid-input")["field"] == "trials.0.params.lr"
    assert len(api.claim(9)) == 2


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, "trials.0.params.lr"),
        ({"lr": "x"}, "trials.0.params.lr"),
        ({"lr": True}, "trials.0.params.lr"),
        ({"lr": 5.0}, "trials.0.params.lr"),
        ({"lr": 0.1, "mu": 1}, "trials.0.params.mu"),
    ],
)
def test_wrong_values_by_hand_name_their_field(api: Api, params: Any, field: str) -> None:
    api.submit()
    document = refused(api.post("/studies/study/trials", {"trials": [{"params": params}]}), 422, "invalid-input")
    assert document["field"] == field
    assert api.trials() == []


def test_results_from_outside_of_a_log_range_harm_nothing(api: Api) -> None:
    api.submit()
    trials = [{"params": {"lr": lr}, "value": 0.5} for lr in (5e-324, 1e300, *[0.01 * n for n in range(1, 9)])]
    ok(api.post("/studies/study/trials", {"trials": trials}), 201)
    assert api.get("/studies/study/best").status_code == 200
    assert api.get("/studies/study/narrowing").status_code == 200


def test_narrowing_says_keep_until_there_are_enough_trials_and_then_the_box_of_the_leaders(api: Api) -> None:
    api.submit(narrowing=LEADERS)
    said = ok(api.get("/studies/study/narrowing"))
    assert (said["round"], said["ranges"]["lr"]["verdict"]) == (0, "keep")
    refused(api.post("/studies/study/rounds", {"from": "proposal"}), 409, "nothing-to-narrow")
    imported(api, (0.01, 0.9), (0.02, 0.8), (0.04, 0.7), (0.9, 0.1), (0.001, 0.2))
    verdict = ok(api.get("/studies/study/narrowing"))["ranges"]["lr"]
    assert verdict["verdict"] == "narrow"
    assert (verdict["low"], verdict["high"]) == (1e-4, 1.0)
    assert verdict["proposed"]["low"] == pytest.approx(0.01)
    assert verdict["proposed"]["high"] == pytest.approx(0.04)
    assert verdict["reason"]
    assert sorted(verdict["trials"]) == [0, 1, 2]


@pytest.mark.parametrize("how", [{"from": "proposal"}, {"policy": "leaders", "settings": {"top": 3, "margin": 0.0}}])
def test_trials_of_a_new_round_are_drawn_from_its_box(api: Api, how: Json) -> None:
    api.submit(narrowing=LEADERS, budget={"trials": 20})
    imported(api, (0.01, 0.9), (0.02, 0.8), (0.04, 0.7), (0.9, 0.1))
    before = api.claim_one()
    opened = ok(api.post("/studies/study/rounds", how), 201)
    assert (opened["number"], opened["parent"]) == (1, 0)
    assert opened["evidence"]["policy"] == "leaders"
    assert api.show()["round"] == 1
    for trial in api.claim(15):
        assert 0.01 * (1 - 1e-9) <= trial["params"]["lr"] <= 0.04 * (1 + 1e-9)
    assert {trial["round"] for trial in api.trials(status="running") if trial["number"] != before["number"]} == {1}
    assert api.trial(before["number"])["round"] == 0
    rounds = ok(api.get("/studies/study/rounds"))["items"]
    assert [one["number"] for one in rounds] == [0, 1]
    assert rounds[0]["ranges"]["lr"]["high"] == 1.0


def test_best_of_a_round_are_of_that_round(api: Api) -> None:
    api.submit()
    imported(api, (0.1, 0.9))
    ok(api.post("/studies/study/rounds", {"ranges": {"lr": {"low": 0.01, "high": 0.1}}}), 201)
    imported(api, (0.02, 0.5))
    assert [trial["number"] for trial in best(api, round=1)] == [1]
    assert [trial["number"] for trial in best(api, round=0)] == [0]
    refused(api.get("/studies/study/best", params={"round": 2}), 404, "round-not-found")


def test_ranges_by_hand_may_name_one_end_and_others_stay(api: Api) -> None:
    api.submit(space={"lr": LOG_RANGE, "k": {"type": "int", "low": 1, "high": 9}}, budget={"trials": 9})
    opened = ok(api.post("/studies/study/rounds", {"ranges": {"lr": {"low": 0.01}}}), 201)
    assert (opened["ranges"]["lr"]["low"], opened["ranges"]["lr"]["high"]) == (0.01, 1.0)
    assert (opened["ranges"]["k"]["low"], opened["ranges"]["k"]["high"]) == (1, 9)
    assert all(trial["params"]["lr"] >= 0.01 for trial in api.claim(9))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"from": "proposal", "policy": "leaders"}, "body"),
        ({"from": "nowhere"}, "from"),
        ({"policy": "oracle"}, "policy"),
        ({"policy": "leaders", "settings": {"top": 0}}, "settings.top"),
        ({"policy": "leaders", "settings": {"bottom": 1}}, "settings.bottom"),
        ({"ranges": {}}, "ranges"),
        ({"ranges": {"mu": {"low": 0.1}}}, "ranges.mu"),
        ({"ranges": {"lr": {}}}, "ranges.lr"),
        ({"ranges": {"lr": {"choices": [1]}}}, "ranges.lr.choices"),
        ({"ranges": {"lr": {"low": 0.5, "high": 0.1}}}, "ranges.lr.high"),
        ({"ranges": {"lr": {"low": 0.5, "high": 0.5}}}, "ranges.lr.high"),
        ({"ranges": {"lr": {"low": 0}}}, "ranges.lr.low"),
        ({"ranges": {"lr": {"low": -1e-3}}}, "ranges.lr.low"),
        ({"ranges": {"lr": {"low": "0.1"}}}, "ranges.lr.low"),
        ({"ranges": {"lr": {"low": 1e-9}}}, "ranges.lr"),
        ({"ranges": {"lr": {"high": 3.0}}}, "ranges.lr"),
        ({"ranges": {"k": {"low": 1.5}}}, "ranges.k.low"),
        ({"ranges": {"k": {"high": 1e300}}}, "ranges.k"),
        ({"ranges": {"c": {"choices": []}}}, "ranges.c.choices"),
        ({"ranges": {"c": {"choices": ["a", "a"]}}}, "ranges.c.choices"),
        ({"ranges": {"c": {"low": 1}}}, "ranges.c.low"),
    ],
)
def test_a_round_that_cannot_be_opened_names_its_field(shared_api: Api, body: Json, field: str) -> None:
    space = {
        "lr": LOG_RANGE | {"limit": {"low": 1e-6, "high": 2.0}},
        "k": {"type": "int", "low": 1, "high": 9},
        "c": {"type": "categorical", "choices": ["a", "b"]},
    }
    if shared_api.get("/studies/study").status_code == 404:
        shared_api.submit(space=space)
    document = refused(shared_api.post("/studies/study/rounds", body), 422, "invalid-input")
    assert document["field"].startswith(field)
    assert shared_api.show()["round"] == 0


def test_a_range_may_be_widened_by_hand_up_to_its_limit(api: Api) -> None:
    api.submit(space={"lr": LOG_RANGE | {"limit": {"low": 1e-6, "high": 2.0}}})
    opened = ok(api.post("/studies/study/rounds", {"ranges": {"lr": {"low": 1e-6, "high": 2.0}}}), 201)
    assert (opened["ranges"]["lr"]["low"], opened["ranges"]["lr"]["high"]) == (1e-6, 2.0)


def test_a_stopped_study_opens_no_round(api: Api) -> None:
    api.submit()
    ok(api.post("/studies/study/stop"))
    refused(api.post("/studies/study/rounds", {"ranges": {"lr": {"low": 0.1}}}), 409, "transition-refused")


def test_a_bayesian_study_ends_with_its_budget_and_tries_nothing_twice(api: Api) -> None:
    search = {"algorithm": "bayesian", "seed": 1, "settings": {"initial": 3, "candidates": 50}}
    api.submit(search=search, budget={"trials": 6})
    while api.show()["status"] == "running":
        for claimed in api.claim(2, wait_seconds=10):
            ok(api.complete(claimed, -abs(claimed["params"]["lr"] - 0.01)))
    trials = api.trials()
    assert api.counts() == {"completed": 6}
    assert len({trial["params"]["lr"] for trial in trials}) == 6
    assert trials[-1]["provenance"]["algorithm"] == "bayesian"
