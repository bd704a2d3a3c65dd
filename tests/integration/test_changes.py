"""A study goes on with another search, another rule or another policy."""

from typing import Any

import pytest

from tests.integration.harness import Api, ok, refused

pytestmark = pytest.mark.usefixtures("suggesting_on_demand")

BAYESIAN = {"algorithm": "bayesian", "settings": {"initial": 3}}


def patch(api: Api, **changes: Any) -> Any:
    return api.patch("/studies/study", changes)


def test_a_random_search_goes_on_as_a_bayesian_one_that_knows_its_results(api: Api) -> None:
    api.submit(budget={"trials": 8})
    api.run([0.1, 0.2, 0.3])
    shown = ok(patch(api, search=BAYESIAN))
    assert shown["search"] == {"algorithm": "bayesian", "seed": 7, "settings": {"initial": 3}}
    api.suggest()
    (claimed,) = api.claim(1)
    provenance = api.trial(claimed["number"])["provenance"]
    assert (provenance["algorithm"], provenance["known"]) == ("bayesian", 3)
    for number in (0, claimed["number"]):
        assert ok(api.get(f"/studies/study/trials/{number}/replay"))["equal"] is True


def test_a_search_that_draws_at_the_claim_leaves_no_old_suggestion_behind(api: Api) -> None:
    api.submit(search={**BAYESIAN, "seed": 1}, budget={"trials": 5})
    api.suggest()
    assert api.counts() == {"waiting": 2}
    ok(patch(api, search={"algorithm": "random"}))
    assert [api.trial(claimed["number"])["provenance"]["algorithm"] for claimed in api.claim(9)] == ["random"] * 5
    assert api.counts() == {"running": 5, "cancelled": 2}


def test_a_grid_that_was_used_up_gives_way_to_another_search(api: Api) -> None:
    space = {"lr": {"type": "float", "low": 0.1, "high": 1.0}, "n": {"type": "int", "low": 1, "high": 2}}
    api.submit(space=space, search={"algorithm": "grid", "settings": {"levels": {"lr": 1}}}, budget={"trials": 5})
    for _ in range(2):
        ok(api.complete(api.claim_one()))
    assert api.claim(1) == []
    assert api.show()["ended_by"] == "space"
    ok(patch(api, search={"algorithm": "random"}, budget={"trials": 6}))
    assert api.show()["status"] == "running"
    assert len(api.claim(9)) == 4


def test_a_rule_of_early_stopping_may_come_later_and_be_taken_away(api: Api) -> None:
    api.submit()
    first = api.claim_one()
    assert first["report_at"] is None
    assert ok(patch(api, pruning={"policy": "asha"}))["pruning"] == {"policy": "asha", "settings": {}}
    assert api.claim_one()["report_at"] == 3
    assert ok(patch(api, pruning=None))["pruning"] is None
    assert api.claim_one()["report_at"] is None


def test_what_is_not_named_stays(api: Api) -> None:
    api.submit(pruning={"policy": "asha"}, narrowing={"policy": "leaders", "every": 3})
    before = api.show()
    after = ok(patch(api, description="new"))
    assert after == before | {"description": "new"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"search": {"algorithm": "no-such"}}, "search.algorithm"),
        ({"search": {"algorithm": "bayesian", "settings": {"initial": 0}}}, "search.settings.initial"),
        ({"search": {"algorithm": "random", "seed": 3}}, "search.seed"),
        ({"pruning": {"policy": "no-such"}}, "pruning.policy"),
        ({"narrowing": {"policy": "no-such"}}, "narrowing.policy"),
    ],
)
def test_a_change_that_does_not_fit_is_refused_and_changes_nothing(api: Api, changes: Any, field: str) -> None:
    before = api.submit()
    assert refused(patch(api, **changes), 422, "invalid-input")["field"] == field
    assert api.show() == before


def test_a_cancelled_suggestion_is_not_made_again_and_the_search_goes_on(api: Api) -> None:
    api.submit(
        space={"n": {"type": "int", "low": 0, "high": 40}}, search={**BAYESIAN, "seed": 1}, budget={"trials": 20}
    )
    for _ in range(3):
        api.suggest()
        for claimed in api.claim(2):
            ok(api.complete(claimed, claimed["params"]["n"]))
    api.suggest()
    waiting = api.trials(status="waiting")
    for trial in waiting:
        ok(api.post(f"/studies/study/trials/{trial['number']}/cancel"))
    api.suggest()
    again = api.claim(2)
    assert len(again) == 2
    assert not {trial["params"]["n"] for trial in again} & {trial["params"]["n"] for trial in waiting}
    assert all(ok(api.get(f"/studies/study/trials/{trial['number']}/replay"))["equal"] for trial in again)


def test_a_study_that_had_used_up_its_space_runs_on_with_another_search(api: Api) -> None:
    space = {"lr": {"type": "float", "low": 0.1, "high": 1.0}}
    api.submit(space=space, search={"algorithm": "grid", "settings": {"levels": 1}}, budget={"trials": 3})
    ok(api.complete(api.claim_one()))
    assert api.claim(1) == []
    assert (api.show()["status"], api.show()["ended_by"]) == ("completed", "space")
    changed = ok(patch(api, search={"algorithm": "random"}))
    assert (changed["status"], changed["ended_by"]) == ("running", None)
    assert len(api.claim(9)) == 2


def test_a_cancelled_trial_that_is_tried_again_is_no_longer_the_one_that_was_given_up(api: Api) -> None:
    api.submit(space={"n": {"type": "int", "low": 0, "high": 9}}, search={**BAYESIAN, "seed": 1}, budget={"trials": 9})
    api.suggest()
    first, second = api.claim(2)
    ok(api.post(f"/studies/study/trials/{first['number']}/cancel"))
    ok(api.tell(first, "release"))
    ok(api.complete(second))
    api.suggest()
    (later,) = api.claim(1)
    assert ok(api.get(f"/studies/study/trials/{later['number']}/replay"))["equal"] is True
    ok(api.post(f"/studies/study/trials/{first['number']}/retry"))
    refused(api.get(f"/studies/study/trials/{later['number']}/replay"), 409, "not-replayable")
