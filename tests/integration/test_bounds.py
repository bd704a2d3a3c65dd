"""The bounds of a budget: whichever comes first ends a study, and what is asked of it later keeps to it."""

from typing import Any

import pytest

from service.domain.study import Study
from service.domain.trial import Trial
from service.operations.draw import draw
from service.storage.store import Store
from tests.integration.harness import Api, Json, ok, refused

pytestmark = pytest.mark.usefixtures("suggesting_on_demand")


def enqueue(api: Api, *values: float, **more: Any) -> Any:
    return api.post("/studies/study/trials", {"trials": [{"params": {"lr": lr}, **more} for lr in values]})


def test_time_ends_a_study_whose_trials_all_have_their_numbers(api: Api) -> None:
    api.submit(budget={"trials": 3, "seconds": 10})
    ok(enqueue(api, 0.1, 0.2, 0.3), 201)
    running = api.claim_one()
    api.clock.move(11)
    assert api.claim(9) == []
    api.sweep()
    assert api.counts() == {"running": 1, "cancelled": 2}
    ok(api.complete(running))
    assert (api.show()["status"], api.show()["ended_by"]) == ("completed", "seconds")


def test_time_that_runs_out_while_a_claim_looks_for_more_leaves_the_claim_without_what_waited(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(store: Store, study: Study, count: int) -> list[Trial]:
        api.clock.move(11)
        return draw(store, study, count)

    space = {"lr": {"type": "categorical", "choices": [0.1, 0.2]}}
    api.submit(space=space, search={"algorithm": "grid"}, budget={"trials": 9, "seconds": 10})
    one, other = api.claim(2)
    ok(api.complete(one))
    ok(api.tell(other, "release"))
    monkeypatch.setattr("service.operations.claim.draw", slow)
    assert api.claim(2) == []
    assert (api.show()["status"], api.show()["ended_by"]) == ("completed", "seconds")
    assert api.counts() == {"completed": 1, "cancelled": 1}


@pytest.mark.parametrize("trials", [3, 30])
def test_epochs_end_a_study_before_what_waits_is_given_out(api: Api, trials: int) -> None:
    api.submit(budget={"trials": trials, "epochs": 5})
    ok(enqueue(api, 0.1, 0.2, 0.3), 201)
    running = api.claim_one()
    ok(api.tell(running, "report", epochs=[{"epoch": epoch, "score": 0.1} for epoch in range(1, 8)]))
    assert api.claim(9) == []
    assert (api.show()["status"], api.show()["ended_by"]) == ("completed", "epochs")
    assert api.counts() == {"pruned": 1, "cancelled": 2}


@pytest.mark.parametrize(
    ("what", "said", "status"),
    [
        ("release", {}, "cancelled"),
        ("fail", {"reason": "error", "message": "no", "retryable": True}, "failed"),
    ],
)
def test_epochs_that_come_with_a_trial_given_back_or_failed_end_a_study(
    api: Api, what: str, said: Json, status: str
) -> None:
    api.submit(budget={"trials": 3, "epochs": 2}, retry={"max_attempts": 3})
    ok(enqueue(api, 0.1, 0.2, 0.3), 201)
    epochs = [{"epoch": 1, "score": 0.1}, {"epoch": 2, "score": 0.1}]
    ended = ok(api.tell(api.claim_one(), what, epochs=epochs, **said))
    assert ended["status"] == status
    assert (api.show()["status"], api.show()["ended_by"]) == ("completed", "epochs")
    assert api.claim(9) == []


def test_a_study_that_has_met_its_target_takes_no_more_trials_and_no_retries(api: Api) -> None:
    api.submit(budget={"trials": 10, "target": 0.8})
    failed, good, poor = api.claim(3)
    ok(api.tell(failed, "fail", reason="error", message="no luck"))
    ok(api.complete(good, 0.9))
    ok(api.complete(poor, 0.1))
    assert (api.show()["status"], api.show()["ended_by"]) == ("completed", "target")
    for refusal in (enqueue(api, 0.1), api.post("/studies/study/trials/0/retry")):
        assert "Raise its budget.target" in refused(refusal, 409, "transition-refused")["detail"]
    assert api.claim(9) == []
    ok(api.patch("/studies/study", {"budget": {"target": 0.95}}))
    ok(api.post("/studies/study/trials/0/retry"))
    assert len(api.claim(99)) == 8


def test_a_study_that_has_used_up_its_space_runs_on_for_what_is_enqueued(api: Api) -> None:
    api.submit(space={"lr": {"type": "categorical", "choices": [0.1, 0.2]}}, search={"algorithm": "grid"})
    api.run([0.1, 0.2])
    assert api.claim(9) == []
    assert (api.show()["status"], api.show()["ended_by"]) == ("completed", "space")
    ok(enqueue(api, 0.1), 201)
    assert api.show()["status"] == "running"
    api.run([0.3])
    assert api.show()["status"] == "completed"
    assert api.counts() == {"completed": 3}


def test_a_lowered_budget_gives_up_what_waits_suggestions_first(api: Api) -> None:
    api.submit(budget={"trials": 10})
    ok(enqueue(api, *[0.01 * n for n in range(1, 11)]), 201)
    ok(api.patch("/studies/study", {"budget": {"trials": 3}}))
    assert [trial["number"] for trial in api.claim(99)] == [0, 1, 2]
    assert api.counts() == {"running": 3, "cancelled": 7}


def test_a_result_from_elsewhere_does_not_change_what_stopped_a_study(api: Api) -> None:
    api.submit(budget={"trials": 10, "target": 0.8})
    ok(api.post("/studies/study/stop"))
    ok(enqueue(api, 0.1, value=0.9), 201)
    assert api.show()["ended_by"] == "stop"


def test_a_cancelled_trial_that_fails_is_cancelled_and_not_tried_again(api: Api) -> None:
    api.submit()
    claimed = api.claim_one()
    ok(api.post("/studies/study/trials/0/cancel"))
    ended = ok(api.tell(claimed, "fail", reason="error", message="killed", retryable=True))
    assert ended["status"] == "cancelled"


def test_a_retried_suggestion_keeps_its_values(api: Api) -> None:
    api.submit(search={"algorithm": "bayesian", "seed": 0}, budget={"trials": 12})
    api.suggest()
    first, second = api.trials(status="waiting")[:2]
    ok(api.post(f"/studies/study/trials/{second['number']}/cancel"))
    ok(api.post(f"/studies/study/trials/{second['number']}/retry"))
    claimed = api.claim_one()
    assert claimed["number"] == first["number"]
    ok(api.complete(claimed))
    api.suggest()
    assert api.trial(second["number"])["params"] == second["params"]


def test_a_point_that_was_claimed_while_others_were_computed_is_not_given_again(api: Api) -> None:
    api.submit(
        space={"n": {"type": "int", "low": 0, "high": 5}},
        search={"algorithm": "bayesian", "seed": 0, "settings": {"initial": 2}},
        budget={"trials": 6},
    )
    seen: list[int] = []

    def claim_in_between() -> None:
        for claimed in api.claim(1):
            seen.append(claimed["params"]["n"])
            ok(api.complete(claimed, 0.1 * claimed["params"]["n"]))

    for _ in range(30):
        api.suggest(in_between=claim_in_between)
    while claimed := api.claim(1):
        seen.append(claimed[0]["params"]["n"])
        ok(api.complete(claimed[0], 0.1))
        api.suggest()
        assert len(seen) <= 6
    assert sorted(seen) == [0, 1, 2, 3, 4, 5]


def test_a_worker_whose_study_is_gone_still_completes_its_trial(api: Api) -> None:
    api.submit("gone")
    api.submit("study")
    claimed = api.claim_one(study="study", worker="z")
    api.claim(1, study="gone", worker="z")
    ok(api.post("/studies/gone/stop"))
    ok(api.delete("/studies/gone"), 204)
    assert ok(api.complete(claimed, 0.5, claim_next=1))["trial"]["status"] == "completed"


def test_a_round_opens_once_for_so_many_trials_of_the_round_in_force(api: Api) -> None:
    keep = {"policy": "leaders", "every": 2, "settings": {"top": 5}}
    api.submit(budget={"trials": 20}, narrowing=keep)
    early = api.claim(6)
    for claimed in early[:4]:
        ok(api.complete(claimed, 0.5))
    rounds = ok(api.get("/studies/study/rounds"))["items"]
    for claimed in early[4:]:
        ok(api.complete(claimed, 0.5))
    assert len(ok(api.get("/studies/study/rounds"))["items"]) <= len(rounds) + 1


def test_values_near_the_largest_number_are_ranked(api: Api) -> None:
    api.submit()
    for n in range(1, 10):
        ok(enqueue(api, 0.01 * n, value=1e200 * (-1) ** n), 201)
    assert ok(api.get("/studies/study/best"))["items"][0]["value"] == 1e200


@pytest.mark.parametrize(
    ("accept", "text"),
    [
        ("text/plain", True),
        ("text/plain, application/json;q=0.5", True),
        ("text/*", True),
        ("application/json, text/plain, */*", False),
        ("*/*", False),
        ("text/plain;q=0", False),
        ("text/plain;q=x", False),
    ],
)
def test_the_best_come_as_text_to_those_who_would_rather_have_it(api: Api, accept: str, text: bool) -> None:
    api.submit()
    answer = api.get("/studies/study/best", headers={"Accept": accept})
    assert answer.headers["content-type"].startswith("text/plain" if text else "application/json")


@pytest.mark.parametrize(
    "space",
    [
        {
            **{f"b{n}": {"type": "categorical", "choices": [0, 1]} for n in range(24)},
            "last": {"type": "int", "low": 0, "high": 1, "when": {f"b{n}": [1] for n in range(24)}},
        },
        {
            "p0": {"type": "categorical", "choices": [0, 1]},
            **{f"p{n}": {"type": "categorical", "choices": [0, 1], "when": {f"p{n - 1}": [1]}} for n in range(1, 400)},
        },
        {f"p{n}": {"type": "int", "low": 0, "high": 1} for n in range(1_001)},
    ],
)
def test_a_space_too_large_to_handle_is_refused_at_once(api: Api, space: Any) -> None:
    for algorithm in ("random", "grid", "bayesian"):
        answer = api.post(
            "/studies",
            {
                "name": "x",
                "objective": {"name": "bowl"},
                "space": space,
                "search": {"algorithm": algorithm},
                "budget": {"trials": 3},
            },
        )
        assert refused(answer, 422, "invalid-input")["field"].startswith("space")


@pytest.mark.parametrize(
    ("settings", "space", "field"),
    [
        ({}, {"dataset": {"type": "categorical", "choices": ["mnist", "digits"]}}, "space.dataset"),
        ({}, {"validation_fraction": {"type": "float", "low": 0.1, "high": 0.3}}, "space.validation_fraction"),
        ({}, {"train_size": {"type": "int", "low": 2, "high": 500}}, "space.train_size.low"),
        ({}, {"train_size": {"type": "int", "low": 20, "high": 60_001}}, "space.train_size.high"),
        (
            {},
            {
                "hidden_layers": {"type": "int", "low": 1, "high": 90},
                "hidden_width": {"type": "int", "low": 10, "high": 1_000},
            },
            "space",
        ),
        ({"nonesuch": 1}, {"lr": {"type": "float", "low": 0.1, "high": 0.3}}, "objective.settings.nonesuch"),
    ],
)
def test_a_study_whose_trials_could_not_be_trained_or_compared_is_refused(
    api: Api, settings: Any, space: Any, field: str
) -> None:
    objective = {"name": "multi_layer_net", "settings": settings}
    answer = api.post("/studies", {"name": "x", "objective": objective, "space": space, "budget": {"trials": 3}})
    document = refused(answer, 422, "invalid-input")
    assert document["field"] == field
    assert "Value error" not in document["detail"]
