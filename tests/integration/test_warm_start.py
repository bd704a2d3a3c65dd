"""A study takes in what another one has found."""

from typing import Any

import pytest

from tests.integration.harness import LOG_RANGE, Api, Json, ok, refused

pytestmark = pytest.mark.usefixtures("suggesting_on_demand")

WIDE = {"lr": {"type": "float", "low": 1e-9, "high": 10.0, "scale": "log"}}


def start_from(api: Api, other: str, status: int = 201) -> Any:
    return ok(api.post("/studies/study/trials", {"from_study": other}), status)


def earlier(api: Api, **changes: Any) -> list[Json]:
    api.submit("earlier", **changes)
    return [ok(api.complete(api.claim_one(study="earlier"), value, samples=100))["trial"] for value in (0.1, 0.5)]


def test_completed_trials_are_taken_in_with_their_samples_also_into_another_box(api: Api) -> None:
    found = earlier(api, space=WIDE)
    ok(api.tell(api.claim_one(), "fail", reason="error", message="no"))
    api.submit(budget={"trials": 3})
    taken = start_from(api, "earlier")
    assert (taken["count"], taken["skipped"]) == (2, 0)
    assert [(one["params"], one["value"], one["samples"]) for one in taken["items"]] == [
        (one["params"], one["value"], one["samples"]) for one in found
    ]
    assert {one["origin"] for one in api.trials()} == {"imported"}
    assert len(api.claim(9, study="study")) == 3


def test_asked_twice_it_takes_nothing_in_twice(api: Api) -> None:
    earlier(api)
    api.submit()
    start_from(api, "earlier")
    again = start_from(api, "earlier")
    assert (again["count"], again["skipped"]) == (0, 2)
    assert len(api.trials()) == 2


def test_a_model_learns_from_what_was_taken_in(api: Api) -> None:
    earlier(api)
    api.submit(search={"algorithm": "bayesian", "seed": 1})
    start_from(api, "earlier")
    api.suggest()
    assert api.trial(2)["provenance"]["known"] == 2


def test_choices_that_the_study_does_not_know_are_left_out(api: Api) -> None:
    api.submit("earlier", space={"act": {"type": "categorical", "choices": ["relu", "tanh"]}}, budget={"trials": 8})
    for _ in range(8):
        ok(api.complete(api.claim_one(), 0.5))
    used = [trial["params"]["act"] for trial in api.trials("earlier")]
    api.submit(space={"act": {"type": "categorical", "choices": ["relu", "sigmoid"]}})
    taken = start_from(api, "earlier")
    assert (taken["count"], taken["skipped"]) == (used.count("relu"), used.count("tanh"))


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"metric": {"name": "loss", "goal": "minimize"}}, "must have the metric of this study"),
        ({"space": {"lr": LOG_RANGE, "x": LOG_RANGE}}, "must search the same parameters, lr, and searches lr, x"),
    ],
)
def test_a_study_of_something_else_is_refused(api: Api, changes: Json, part: str) -> None:
    api.submit("other", **changes)
    api.submit()
    problem = refused(api.post("/studies/study/trials", {"from_study": "other"}), 422, "invalid-input")
    assert problem["field"] == "from_study"
    assert part in problem["detail"]


def test_a_study_is_not_taken_into_itself_and_must_exist(api: Api) -> None:
    api.submit()
    refused(api.post("/studies/study/trials", {"from_study": "study"}), 422, "invalid-input")
    refused(api.post("/studies/study/trials", {"from_study": "nobody"}), 404, "study-not-found")


@pytest.mark.parametrize("body", [{}, {"from_study": "a", "trials": [{"params": {"lr": 0.001}}]}])
def test_trials_come_from_a_list_or_from_a_study(api: Api, body: Json) -> None:
    api.submit()
    problem = refused(api.post("/studies/study/trials", body), 422, "invalid-input")
    assert "exactly one of trials and from_study" in problem["detail"]
