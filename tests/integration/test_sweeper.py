"""The sweeper: it works where its server leads, and takes nothing back after an absence of its own."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.domain.study import Study
from service.storage.studies import Studies
from tests.integration.attending import LONG, absences_count_from, change_locks, sweeper_of, there_for
from tests.integration.harness import Api, ok


def test_a_server_that_does_not_lead_takes_nothing_back(api: Api) -> None:
    api.submit()
    api.claim_one()
    api.clock.move(31)
    sweeper_of(api, lambda: False).sweep()
    assert api.counts() == {"running": 1}


def test_a_sweeper_that_was_away_lengthens_every_lease_by_that(api: Api) -> None:
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


def test_a_server_that_takes_the_lead_takes_back_only_what_could_have_been_renewed_with_it(api: Api) -> None:
    api.submit()
    api.claim_one()
    api.clock.move(31)
    api.app.state.attendance.begin(api.clock())
    sweeper = sweeper_of(api)
    there_for(sweeper, api, 29)
    assert api.counts() == {"running": 1}
    there_for(sweeper, api, 2)
    assert api.counts() == {"waiting": 1}


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
    follower = sweeper_of(api, lambda: False)
    follower.sweep()
    assert api.claim(worker="bob") == []
    api.clock.move(LONG)
    follower.sweep()
    assert api.claim(worker="bob") == []
    api.clock.move(31)
    follower.sweep()
    assert api.claim_one(worker="bob")["id"] == first["id"]


def test_however_often_the_server_is_away_a_worker_that_is_gone_is_found_out(api: Api) -> None:
    api.submit()
    api.claim_one()
    sweeper = sweeper_of(api)
    for _ in range(4):
        sweeper.sweep()
        there_for(sweeper, api, 12)
        api.clock.move(LONG)
    assert api.counts() == {"waiting": 1}


def test_a_lead_that_is_lost_for_moments_keeps_no_lease(api: Api) -> None:
    api.submit()
    api.claim_one()
    leads = [True]
    sweeper = sweeper_of(api, lambda: leads[0])
    for _ in range(4):
        leads[0] = True
        there_for(sweeper, api, 12)
        leads[0] = False
        sweeper.sweep()
    assert api.counts() == {"waiting": 1}


def test_a_leader_that_learns_only_after_an_absence_that_it_still_leads_goes_on_as_one(api: Api) -> None:
    api.submit()
    api.claim_one()
    leads = [True]
    sweeper = sweeper_of(api, lambda: leads[0])
    for _ in range(4):
        there_for(sweeper, api, 12)
        api.clock.move(LONG)
        leads[0] = False
        there_for(sweeper, api, 2)
        leads[0] = True
    assert api.counts() == {"waiting": 1}


def test_a_lease_that_is_given_after_an_absence_is_not_lengthened_by_it(api: Api) -> None:
    api.submit(budget={"trials": 1})
    sweeper = sweeper_of(api)
    sweeper.sweep()
    api.clock.move(LONG)
    api.claim_one()
    there_for(sweeper, api, 33)
    assert api.counts() == {"waiting": 1}


def test_an_absence_that_follows_a_clock_that_was_set_back_is_noticed(api: Api) -> None:
    api.submit(budget={"trials": 1})
    sweeper = sweeper_of(api)
    there_for(sweeper, api, 40)
    api.clock.move(-LONG)
    there_for(sweeper, api, 2)
    claimed = api.claim_one()
    there_for(sweeper, api, 2)
    api.clock.move(LONG)
    sweeper.sweep()
    assert api.counts() == {"running": 1}
    ok(api.complete(claimed))


def test_a_clock_that_is_set_back_keeps_no_lease(api: Api) -> None:
    api.submit(budget={"trials": 1})
    sweeper = sweeper_of(api)
    api.claim_one()
    there_for(sweeper, api, 2)
    api.clock.move(-LONG)
    there_for(sweeper, api, 33)
    assert api.counts() == {"waiting": 1}


def test_a_second_absence_while_leases_are_lengthened_is_given_back_too(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.submit(budget={"trials": 1})
    sweeper = sweeper_of(api)
    there_for(sweeper, api, 40)
    claimed = api.claim_one()
    there_for(sweeper, api, 1)
    away_again_for = iter([LONG])

    def interrupted(locked: Study | None) -> Study | None:
        api.clock.move(next(away_again_for, 0))
        return locked

    change_locks(monkeypatch, interrupted)
    api.clock.move(LONG)
    sweeper.sweep()
    there_for(sweeper, api, 2)
    assert api.counts() == {"running": 1}
    ok(api.complete(claimed))


def test_an_absence_that_is_short_for_a_lease_gives_only_shorter_ones_that_time_back(api: Api) -> None:
    absences_count_from(api, 3)
    sweeper = sweeper_of(api)
    for name, lease_seconds in (("short", 6), ("long", 30)):
        api.submit(name, lease_seconds=lease_seconds, budget={"trials": 1})
    there_for(sweeper, api, 40)
    api.claim(2)
    api.clock.move(5)
    there_for(sweeper, api, 6)
    assert api.counts("short") == {"running": 1}
    there_for(sweeper, api, 2)
    assert api.counts("short") == {"waiting": 1}
    there_for(sweeper, api, 17)
    assert api.counts("long") == {"running": 1}
    there_for(sweeper, api, 1)
    assert api.counts("long") == {"waiting": 1}


def test_leases_are_refreshed_by_one_at_a_time_when_a_server_begins(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    sweeper, inside, met = sweeper_of(api), threading.Semaphore(), threading.Event()

    def refresh(*_: object, **_more: object) -> bool:
        if not inside.acquire(blocking=False):
            met.set()
        elif not met.wait(0.3):
            inside.release()
        return True

    monkeypatch.setattr(sweeper, "_in_each_with_leases", refresh)
    with ThreadPoolExecutor(2) as both:
        begun = [both.submit(sweeper.begin), both.submit(sweeper.begin)]
    assert [one.result() for one in begun] == [None, None]
    assert not met.is_set()
