"""A study that has nothing to give is passed by until something changes in it, and never a moment longer."""

import random
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from service.storage.store import Store
from tests.integration.harness import Api, Json, ok
from tests.integration.statements import recorded

pytestmark = pytest.mark.usefixtures("suggesting_on_demand")


def rested(api: Api) -> set[str]:
    """The names of the studies that claims pass by."""

    def read(store: Store) -> set[str]:
        return set(store._connection.scalars(sa.text("SELECT name FROM studies WHERE idle")))

    names: set[str] = api.app.state.database.read(read)
    return names


def test_claims_look_once_into_studies_that_have_nothing_to_give(api: Api) -> None:
    for number in range(30):
        api.submit(f"used-up-{number}", budget={"trials": 1})
        api.claim_one(worker="bob")
    assert api.claim(1) == []
    assert len(rested(api)) == 30
    with recorded() as sent:
        assert api.claim(1) == []
    assert len(sent) < 20


@pytest.mark.parametrize(
    "change",
    [
        lambda api, held: api.complete(held),
        lambda api, held: api.tell(held, "release"),
        lambda api, held: api.tell(held, "fail", message="no", retryable=True),
        lambda api, held: api.clock.move(1e4) or api.sweep() or api.get("/workers"),
        lambda api, held: api.clock.move(1e4) or api.get("/workers"),
        lambda api, held: api.post("/studies/study/trials/0/cancel") and api.tell(held, "report"),
    ],
    ids=["completed", "released", "failed", "swept", "expired", "cancelled"],
)
def test_a_study_at_its_limit_gives_again_when_a_trial_ends(api: Api, change: Callable[[Api, Json], object]) -> None:
    api.submit(max_parallel=1, budget={"trials": 3})
    held = api.claim_one(worker="bob")
    assert api.claim(1) == []
    assert rested(api) == {"study"}
    ok(change(api, held))
    assert len(api.claim(1)) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda api: api.patch("/studies/study", {"budget": {"trials": 3}}),
        lambda api: api.post("/studies/study/trials/0/retry"),
        lambda api: api.post("/studies/study/confirmation", {"n": 1, "seeds": 1}),
    ],
    ids=["budget", "retry", "confirmation"],
)
def test_a_study_that_is_done_gives_again_when_more_is_asked_of_it(api: Api, change: Callable[[Api], object]) -> None:
    api.submit(budget={"trials": 2})
    ok(api.tell(api.claim_one(), "fail", message="no"))
    ok(api.complete(api.claim_one()))
    assert api.claim(1) == []
    assert rested(api) == {"study"}
    ok(change(api))
    assert len(api.claim(1)) == 1


def test_a_study_whose_suggestions_are_made_ahead_gives_again_when_they_are_there(api: Api) -> None:
    api.submit(search={"algorithm": "bayesian", "seed": 1}, budget={"trials": 3})
    assert api.claim(1) == []
    assert rested(api) == {"study"}
    api.suggest()
    assert len(api.claim(1)) == 1


def test_suggestions_made_anew_after_a_round_are_given_out(api: Api) -> None:
    api.submit(search={"algorithm": "bayesian", "seed": 1}, budget={"trials": 9})
    api.suggest()
    ok(api.post("/studies/study/rounds", {"ranges": {"lr": {"low": 0.01, "high": 0.1}}}), 201)
    assert api.claim(1) == []
    api.suggest()
    assert all(0.01 <= trial["params"]["lr"] <= 0.1 for trial in api.claim(2))


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_no_study_rests_that_has_something_to_give(api: Api, seed: int) -> None:
    chance, held = random.Random(seed), []
    for name in "abc":
        api.submit(name, budget={"trials": 6}, max_parallel=2, retry={"max_attempts": 2}, lease_seconds=20)
    for _ in range(60):
        name = chance.choice("abc")
        match chance.randrange(9):
            case 0 | 1 | 2:
                held += api.claim(chance.randint(1, 3))
            case 3 | 4 if held:
                api.complete(held.pop(chance.randrange(len(held))), claim_next=chance.randrange(2))
            case 5 if held:
                api.tell(held.pop(), chance.choice(["release", "fail"]), **_said(chance))
            case 6:
                api.clock.move(chance.choice([1, 30]))
            case 7:
                api.post(f"/studies/{name}/{chance.choice(['pause', 'resume'])}")
            case 8:
                api.patch(f"/studies/{name}", {"budget": {"trials": chance.randint(4, 9)}})
    while resting := rested(api):
        _wake(api)
        claimed = [trial["study_name"] for trial in api.claim(99, worker="bob")]
        assert not resting & set(claimed), "these were passed by with something to give"
        if not claimed:
            break


def _said(chance: random.Random) -> Json:
    return chance.choice([{}, {"message": "no", "retryable": True}])


def _wake(api: Api) -> None:
    """Let the next claim look into every study."""

    def write(store: Store) -> None:
        store._connection.execute(sa.text("UPDATE studies SET idle = (1 = 0)"))

    api.app.state.database.write(write)
