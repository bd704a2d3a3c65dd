"""Openings: what may be claimed is seen without claiming; too much of it now and then, but never too little."""

import random
from functools import partial
from typing import Any

import pytest

from service.domain.status import Purpose
from service.operations.openings import find_openings, first_served
from service.storage.workers import Terms
from tests.integration.harness import Api, Json, ok

GRID = {"algorithm": "grid"}
PURPOSES = (Purpose.SEARCH, Purpose.CONFIRMATION)


def seen(api: Api, *objectives: str, study: str | None = None, count: int = 1) -> int:
    """How many claims of `count` trials there may be something for."""
    openings = api.app.state.database.read(partial(find_openings, objectives=objectives))
    claims = [(Terms(objectives, PURPOSES, study), count)] * 20
    return len(list(first_served(openings, claims)))


@pytest.fixture(scope="module")
def api(shared_api: Api) -> Api:
    return shared_api


def test_a_study_offers_what_its_budget_has_left_and_what_waits(api: Api) -> None:
    api.submit("budget", objective={"name": "budget"}, budget={"trials": 3})
    assert seen(api, "budget") == 3
    first, *_ = api.claim(2, objectives=["budget"])
    assert seen(api, "budget") == 1
    ok(api.tell(first, "release"))
    assert seen(api, "budget") == 2
    assert seen(api, "budget", count=2) == 1
    assert seen(api, "other") == seen(api, "budget", study="other") == 0
    assert seen(api, "budget", study="budget") == 2


def test_a_study_whose_trials_all_run_or_that_is_paused_offers_nothing(api: Api) -> None:
    api.submit("all-run", objective={"name": "all-run"}, budget={"trials": 2})
    ok(api.post("/studies/all-run/pause"))
    assert seen(api, "all-run") == 0
    ok(api.post("/studies/all-run/resume"))
    api.claim(2, objectives=["all-run"])
    assert seen(api, "all-run") == 0


def test_a_study_offers_no_more_than_may_run_at_once(api: Api) -> None:
    api.submit("few", objective={"name": "few"}, max_parallel=2)
    held = api.claim_one(objectives=["few"])
    assert seen(api, "few") == 1
    api.claim_one(objectives=["few"])
    assert seen(api, "few") == 0
    ok(api.complete(held))
    assert seen(api, "few") == 1


def test_a_study_whose_time_is_up_offers_nothing(api: Api) -> None:
    api.submit("timed", objective={"name": "timed"}, budget={"trials": 9, "seconds": 60})
    api.claim_one(objectives=["timed"])
    assert seen(api, "timed") > 0
    api.clock.move(61)
    assert seen(api, "timed") == 0


def test_trials_to_confirm_are_offered_in_a_completed_study(api: Api) -> None:
    api.submit("confirm", objective={"name": "confirm"}, budget={"trials": 1})
    ok(api.complete(api.claim_one(objectives=["confirm"])))
    assert seen(api, "confirm") == 0
    ok(api.post("/studies/confirm/confirmation", {"n": 1, "seeds": 3}))
    assert seen(api, "confirm") == 3


@pytest.mark.parametrize("seed", range(2))
def test_nothing_can_be_claimed_that_was_not_offered(api: Api, seed: int) -> None:
    chance, objective = random.Random(seed), f"drawn-{seed}"
    names = [f"{objective}-{number}" for number in range(3)]
    kinds: list[Json] = [
        {"budget": {"trials": 6}, "max_parallel": 2},
        {
            "budget": {"trials": 5},
            "space": {"n": {"type": "int", "low": 1, "high": 3}},
            "search": {"algorithm": "grid"},
        },
        {"budget": {"epochs": 8, "seconds": 400}},
    ]
    for name, kind in zip(names, kinds, strict=True):
        api.submit(name, objective={"name": objective}, **kind)
    held: list[Json] = []
    claimed_in_all = 0
    for _ in range(60):
        name = chance.choice(names)
        _change(api, chance, name, held)
        api.sweep()
        study = chance.choice([None, name])
        offered = seen(api, objective, study=study)
        claimed = api.claim(chance.randint(1, 2), objectives=[objective], **({} if study is None else {"study": study}))
        assert not claimed or offered, (study, claimed)
        held += claimed
        claimed_in_all += len(claimed)
    assert claimed_in_all > 10


def _change(api: Api, chance: random.Random, name: str, held: list[Json]) -> Any:
    match chance.randrange(8):
        case 0:
            return api.post(f"/studies/{name}/{chance.choice(['pause', 'resume', 'resume'])}")
        case 1:
            return api.patch(f"/studies/{name}", {"budget": {"trials": chance.randint(3, 12)}})
        case 2:
            return api.clock.move(chance.choice([5.0, 31.0]))
        case _ if held:
            trial = held.pop(chance.randrange(len(held)))
            what: list[tuple[str, Json]] = [
                ("complete", {"value": chance.random(), "epochs": [{"epoch": 1, "score": 0.5}]}),
                ("release", {}),
                ("fail", {"reason": "error", "message": "drawn", "retryable": True}),
            ]
            said, more = chance.choice(what)
            return api.tell(trial, said, **more)
        case _:
            return None
