"""The sweeper: it works where its server leads, and takes nothing back after an absence of its own."""

from service.background import Sweeper
from tests.integration.harness import Api, ok

AWAY_SECONDS = 5.0


def sweeper_of(api: Api, *, leads: bool = True) -> Sweeper:
    return Sweeper(api.app.state.database, api.clock, lambda: leads, AWAY_SECONDS)


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
    api.clock.move(31)
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
