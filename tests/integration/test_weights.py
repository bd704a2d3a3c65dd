"""What the best trial has learned is kept, where the study asks for it, and nothing else is."""

from typing import Any

import pytest
import sqlalchemy as sa

from service.storage.store import Store
from tests.integration.harness import Api, Json, ok, refused


def upload(api: Api, claimed: Json, content: bytes, lease: str | None = None) -> Any:
    query = {"lease": lease or claimed["lease"]["token"]}
    return api.client.put(f"/api/v1/trials/{claimed['id']}/weights", params=query, content=content)


def kept(api: Api) -> int:
    def count(store: Store) -> int:
        return int(store._connection.scalar(sa.text("SELECT count(*) FROM weights")) or 0)

    number: int = api.app.state.database.read(count)
    return number


@pytest.mark.parametrize(("goal", "values"), [("maximize", [0.5, 0.9, 0.7]), ("minimize", [-0.5, -0.9, -0.7])])
def test_the_weights_of_the_best_trial_and_no_others_are_kept(api: Api, goal: str, values: list[float]) -> None:
    api.submit(keep_weights="best", budget={"trials": 4}, metric={"name": "score", "goal": goal})
    refused(api.get("/studies/study/best-model"), 404, "weights-not-found")
    for value, best in zip(values, [values[0], values[1], values[1]], strict=True):
        claimed = api.claim_one()
        assert upload(api, claimed, f"weights of {value}".encode()).status_code == 204
        ok(api.complete(claimed, value))
        assert kept(api) == 1
        assert api.get("/studies/study/best-model").content == f"weights of {best}".encode()


def test_a_claim_says_from_which_value_on_weights_are_wanted(api: Api) -> None:
    api.submit(keep_weights="best", budget={"trials": 4})
    first = api.claim_one()
    assert first["keep_weights"] == {"goal": "maximize", "at_least_as_good_as": None}
    answer = ok(api.complete(first, 0.5, claim_next=1))
    assert answer["claimed"]["trials"][0]["keep_weights"]["at_least_as_good_as"] == 0.5
    api.submit("other", objective={"name": "valley"})
    assert api.claim_one(objectives=["valley"])["keep_weights"] is None


def test_weights_that_are_handed_in_again_take_the_place_of_the_first_and_renew_the_lease(api: Api) -> None:
    api.submit(keep_weights="best", budget={"trials": 1})
    claimed = api.claim_one()
    upload(api, claimed, b"first")
    api.clock.move(20)
    upload(api, claimed, b"second")
    api.clock.move(20)
    api.sweep()
    ok(api.complete(claimed, 0.5))
    assert api.get("/studies/study/best-model").content == b"second"


def test_a_trial_that_fails_or_is_lost_leaves_no_weights(api: Api) -> None:
    api.submit(keep_weights="best", budget={"trials": 2})
    failing, lost = api.claim(2)
    for claimed in (failing, lost):
        upload(api, claimed, b"weights")
    ok(api.tell(failing, "fail", reason="error", message="no luck"))
    ok(api.post("/studies/study/stop"))
    api.clock.move(100)
    api.sweep()
    assert kept(api) == 0


def test_what_an_attempt_handed_in_that_was_lost_is_forgotten(api: Api) -> None:
    api.submit(keep_weights="best", budget={"trials": 1})
    upload(api, api.claim_one(), b"attempt one")
    api.clock.move(100)
    second = api.claim_one()
    assert kept(api) == 0
    ok(api.complete(second, 0.7))
    refused(api.get("/studies/study/best-model"), 404, "weights-not-found")


def test_nothing_is_no_weights(api: Api) -> None:
    api.submit(keep_weights="best")
    refused(upload(api, api.claim_one(), b""), 422, "invalid-input")


def test_weights_may_be_larger_than_other_bodies(api: Api) -> None:
    api.submit(keep_weights="best")
    claimed = api.claim_one()
    assert upload(api, claimed, bytes(3 * 1024 * 1024)).status_code == 204
    ok(api.complete(claimed, 0.5))
    assert len(api.get("/studies/study/best-model").content) == 3 * 1024 * 1024


def test_weights_under_a_lease_that_is_not_held_or_for_a_study_that_keeps_none_are_refused(api: Api) -> None:
    api.submit(keep_weights="best", budget={"trials": 2})
    claimed = api.claim_one()
    refused(upload(api, claimed, b"x", lease="another"), 409, "lease-lost")
    api.submit("none", objective={"name": "valley"})
    other = api.claim_one(objectives=["valley"])
    refused(upload(api, other, b"x"), 409, "weights-not-kept")
    refused(api.get("/studies/none/best-model"), 409, "weights-not-kept")
    refused(api.get("/studies/nobody/best-model"), 404, "study-not-found")
    assert kept(api) == 0


def test_a_deleted_study_takes_its_weights_along(api: Api) -> None:
    api.submit(keep_weights="best", budget={"trials": 1})
    claimed = api.claim_one()
    upload(api, claimed, b"weights")
    ok(api.complete(claimed, 0.5))
    assert kept(api) == 1
    ok(api.delete("/studies/study"), 204)
    api.remove()
    assert kept(api) == 0


def test_an_imported_best_has_no_weights_and_that_is_said(api: Api) -> None:
    api.submit(keep_weights="best")
    ok(api.post("/studies/study/trials", {"trials": [{"params": {"lr": 0.1}, "value": 0.9}]}), 201)
    assert "number 0" in refused(api.get("/studies/study/best-model"), 404, "weights-not-found")["detail"]
