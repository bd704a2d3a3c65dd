"""Curves of old trials go when somebody asks for that; the best, the leaders and what is trained again keep theirs."""

from datetime import timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa

from service.operations import forget_curves as operation
from service.operations.forget_curves import Retention, forget_everywhere
from service.storage.store import Store
from tests.integration.harness import Api, Json, ok

DAY = 86_400.0
EPOCHS = [{"epoch": 1, "score": 0.1}, {"epoch": 2, "score": 0.2}]


def forget(api: Api, study: str = "study", **asked: object) -> Json:
    answer: Json = ok(api.post(f"/studies/{study}/forget-curves", {"older_than_days": 30, "keep_best": 1} | asked))
    return answer


def with_curve(api: Api, value: float, **more: object) -> int:
    """The number of a trial that was completed with a curve."""
    number: int = ok(api.complete(api.claim_one(), value, epochs=EPOCHS, **more))["trial"]["number"]
    return number


def curve(api: Api, number: int, study: str = "study") -> Json:
    answer: Json = ok(api.get(f"/studies/{study}/trials/{number}/curve"))
    return answer


def test_old_curves_go_and_all_else_of_their_trials_stays(api: Api) -> None:
    api.submit(budget={"trials": 9})
    old = [with_curve(api, value, samples=100_000) for value in (0.9, 0.5, 0.4)]
    before = [api.trial(number) for number in old]
    api.clock.move(31 * DAY)
    young = with_curve(api, 0.3, samples=100_000)
    done = forget(api)
    assert done["curves"] == 2
    assert done["bytes"] > 40
    assert done["next_cursor"] is None
    assert [curve(api, number)["removed"] for number in (*old, young)] == [False, True, True, False]
    assert curve(api, old[1])["epochs"] == []
    assert curve(api, young)["epochs"] == curve(api, old[0])["epochs"] != []
    assert [api.trial(number) for number in old] == before
    assert forget(api)["curves"] == 0


def test_a_trial_that_never_had_a_curve_is_told_apart_from_one_whose_curve_was_removed(api: Api) -> None:
    api.submit()
    (trial,) = api.run([0.5])
    api.clock.move(31 * DAY)
    assert forget(api, keep_best=0)["curves"] == 0
    assert curve(api, trial["number"]) == {"attempt": 1, "epochs": [], "removed": False}


def test_a_dry_run_counts_the_same_and_removes_nothing(api: Api) -> None:
    api.submit(budget={"trials": 9})
    numbers = [with_curve(api, value, samples=100_000) for value in (0.9, 0.5, 0.4)]
    api.clock.move(31 * DAY)
    counted = forget(api, dry_run=True)
    assert not any(curve(api, number)["removed"] for number in numbers)
    assert forget(api) == counted


def test_curves_of_all_that_cannot_be_told_apart_from_the_best_stay(api: Api) -> None:
    api.submit(budget={"trials": 9})
    with_curve(api, 0.90, samples=100)
    leader, behind = with_curve(api, 0.89, samples=100), with_curve(api, 0.5, samples=100)
    api.clock.move(31 * DAY)
    forget(api)
    assert (curve(api, leader)["removed"], curve(api, behind)["removed"]) == (False, True)


def test_curves_of_what_runs_and_of_what_is_trained_again_stay(api: Api) -> None:
    api.submit(budget={"trials": 9})
    with_curve(api, 0.9, samples=100_000)
    confirmed = with_curve(api, 0.5, samples=100_000)
    failed = api.claim_one()
    ok(api.tell(failed, "fail", message="no", epochs=EPOCHS))
    running = api.claim_one()
    ok(api.tell(running, "report", epochs=EPOCHS))
    ok(api.post("/studies/study/confirmation", {"trials": [confirmed], "seeds": 1}))
    again = api.claim_one(purposes=["confirmation"])
    ok(api.complete(again, 0.5, epochs=EPOCHS))
    api.clock.move(31 * DAY)
    assert forget(api)["curves"] == 1
    assert curve(api, failed["number"])["removed"]
    assert not any(curve(api, number)["removed"] for number in (confirmed, running["number"], again["number"]))


def test_a_failed_trial_whose_curve_was_removed_can_try_again(api: Api) -> None:
    api.submit(budget={"trials": 1})
    failed = api.claim_one()
    ok(api.tell(failed, "fail", message="no", epochs=EPOCHS))
    api.clock.move(31 * DAY)
    assert forget(api)["curves"] == 1
    ok(api.post(f"/studies/study/trials/{failed['number']}/retry"))
    assert curve(api, with_curve(api, 0.5))["epochs"] != []


def test_many_trials_are_looked_at_in_parts_and_each_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.submit(budget={"trials": 9})
    for value in (0.9, 0.5, 0.4, 0.3, 0.2):
        with_curve(api, value, samples=100_000)
    api.clock.move(31 * DAY)
    monkeypatch.setattr(operation, "LOOKED_AT_ONCE", 2)
    parts = [forget(api, dry_run=True)]
    while cursor := parts[-1]["next_cursor"]:
        parts.append(forget(api, dry_run=True, cursor=cursor))
    assert [part["curves"] for part in parts] == [1, 2, 1]
    assert all(one["next_cursor"] != other["next_cursor"] for one, other in pairwise(parts))


def test_without_a_name_all_studies_are_gone_through(api: Api) -> None:
    for name in ("one", "two"):
        api.submit(name, budget={"trials": 2})
        for value in (0.9, 0.5):
            claimed = api.claim_one(study=name)
            ok(api.complete(claimed, value, samples=100_000, epochs=EPOCHS))
    api.clock.move(31 * DAY)
    parts = list(forget_everywhere(api.app.state.database, None, Retention(timedelta(days=30), 1), dry_run=False))
    assert [part.curves for part in parts] == [1, 1]
    assert [curve(api, 1, name)["removed"] for name in ("one", "two")] == [True, True]


def test_the_figure_of_curves_is_drawn_without_those_that_were_removed(api: Api) -> None:
    api.submit(budget={"trials": 2})
    for value in (0.9, 0.5):
        with_curve(api, value, samples=100_000)
    api.clock.move(31 * DAY)
    forget(api)
    drawn = api.get("/studies/study/figures/learning-curves.svg")
    assert drawn.status_code == 200
    assert _statement(api, "SELECT count(DISTINCT trial_id) FROM curves") == 1


def _statement(api: Api, statement: str) -> int:
    def run(store: Store) -> int:
        return int(store._connection.scalar(sa.text(statement)) or 0)

    number: int = api.app.state.database.read(run)
    return number
