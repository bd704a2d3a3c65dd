"""The sweeper: it works where its server leads, and takes nothing back after an absence of its own."""

import pytest

from service.background import Sweeper
from service.domain.study import Study
from service.storage.studies import Studies
from tests.integration.harness import NEVER, Api, ok

LONG = 3 * NEVER
"""Longer than the server's own sweeper may be away."""


def sweeper_of(api: Api, *, leads: bool = True) -> Sweeper:
    return Sweeper(api.app.state.database, api.clock, lambda: leads, api.app.state.attendance)


def test_a_server_that_does_not_lead_takes_nothing_back(api: Api) -> None:
    api.submit()
    api.claim_one()
    api.clock.move(31)
    sweeper_of(api, leads=False).sweep()
    assert api.counts() == {"running": 1}


def test_a_sweeper_that_was_away_gives_every_running_trial_a_fresh_lease(api: Api) -> None:
    api.submit()
    claimed = api.claim_one()
    sweeper = sweeper_of(api)
    sweeper.sweep()
    api.clock.move(LONG)
    sweeper.sweep()
    assert api.counts() == {"running": 1}
    ok(api.complete(claimed))


def test_a_sweeper_that_was_there_all_the_time_takes_back_what_has_expired(api: Api) -> None:
    api.submit()
    api.claim_one()
    sweeper = sweeper_of(api)
    for _ in range(11):
        sweeper.sweep()
        api.clock.move(3)
    sweeper.sweep()
    assert api.counts() == {"waiting": 1}


def test_a_server_that_takes_the_lead_gives_fresh_leases_before_it_sweeps(api: Api) -> None:
    api.submit()
    api.claim_one()
    api.clock.move(31)
    sweeper_of(api).sweep()
    assert api.counts() == {"running": 1}


def test_a_claim_just_after_an_absence_takes_nothing_back(api: Api) -> None:
    """It may come before the sweeper has noticed the absence, and the holder could renew with nobody."""
    api.submit(budget={"trials": 1})
    claimed = api.claim_one()
    api.clock.move(LONG)
    assert api.claim(worker="bob") == []
    ok(api.complete(claimed))
    assert api.counts() == {"completed": 1}


def test_a_sweep_that_an_absence_interrupts_takes_nothing_back(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.submit(budget={"trials": 1})
    api.claim_one()
    api.clock.move(31)
    lock = Studies.lock

    def interrupted(studies: Studies, study_id: str, *, wait: bool) -> Study | None:
        api.clock.move(LONG)
        return lock(studies, study_id, wait=wait)

    monkeypatch.setattr(Studies, "lock", interrupted)
    api.sweep()
    assert api.counts() == {"running": 1}


def test_after_an_absence_a_claim_takes_back_what_was_not_renewed_for_a_whole_lease(api: Api) -> None:
    api.submit(budget={"trials": 1})
    first = api.claim_one()
    api.clock.move(LONG)
    sweeper_of(api).sweep()
    api.clock.move(29)
    assert api.claim(worker="bob") == []
    api.clock.move(2)
    assert api.claim_one(worker="bob")["id"] == first["id"]


def test_a_server_that_does_not_lead_takes_back_by_a_claim_what_it_could_have_renewed(api: Api) -> None:
    api.submit(budget={"trials": 1})
    first = api.claim_one()
    api.clock.move(LONG)
    follower = sweeper_of(api, leads=False)
    follower.sweep()
    assert api.claim(worker="bob") == []
    api.clock.move(31)
    follower.sweep()
    assert api.claim_one(worker="bob")["id"] == first["id"]
