"""The sweeper: it works where its server leads, and takes nothing back after an absence of its own."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.domain.study import Study
from service.storage.condition import StorageUnavailable
from service.storage.sqlite_library import library
from service.storage.store import Store, Work
from service.storage.studies import Studies
from tests.integration.attending import LONG, absences_count_from, sweeper_of, there_for
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


def test_a_lease_that_could_not_be_lengthened_at_once_is_not_lost(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.submit(budget={"trials": 1})
    sweeper = sweeper_of(api)
    there_for(sweeper, api, 40)
    claimed = api.claim_one()
    there_for(sweeper, api, 1)
    failures = iter([RuntimeError("cannot be looked at")])

    def failing(locked: Study | None) -> Study | None:
        if failure := next(failures, None):
            raise failure
        return locked

    change_locks(monkeypatch, failing)
    api.clock.move(LONG)
    there_for(sweeper, api, 29)
    assert api.counts() == {"running": 1}
    ok(api.complete(claimed))


def test_writes_that_the_database_refuses_now_and_then_keep_no_lease(api: Api) -> None:
    api.submit(budget={"trials": 1})
    sweeper = sweeper_of(api)
    api.claim_one()
    for _ in range(3):
        there_for(sweeper, api, 12)
        with pytest.raises(StorageUnavailable):
            api.app.state.database.write(refused_for_want_of_room)
    assert api.counts() == {"waiting": 1}


def test_where_every_write_takes_seconds_a_worker_that_is_gone_is_found_out(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    absences_count_from(api, 3)
    api.submit(budget={"trials": 1})
    sweeper, database = sweeper_of(api), api.app.state.database
    there_for(sweeper, api, 40)
    api.claim_one()
    write = database.write

    def slowly(work: Work[object], *, patient: bool = True) -> object:
        api.clock.move(4)
        return write(work, patient=patient)

    monkeypatch.setattr(database, "write", slowly)
    there_for(sweeper, api, 15)
    assert api.counts() == {"waiting": 1}


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

    def refresh(*_: object) -> bool:
        if not inside.acquire(blocking=False):
            met.set()
        elif not met.wait(0.3):
            inside.release()
        return True

    monkeypatch.setattr(sweeper, "_in_each_study", refresh)
    with ThreadPoolExecutor(2) as both:
        begun = [both.submit(sweeper.begin), both.submit(sweeper.begin)]
    assert [one.result() for one in begun] == [None, None]
    assert not met.is_set()


@pytest.mark.parametrize("error", [RuntimeError("it is damaged"), StorageUnavailable("others hold its lock")])
def test_a_study_that_cannot_be_looked_at_keeps_no_other_from_it(
    api: Api, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("bad", "good"):
        api.submit(name, lease_seconds=20)
        api.claim_one(study=name)
    fail_to_lock(api, "bad", monkeypatch, error)
    sweeper = sweeper_of(api)
    there_for(sweeper, api, 30)
    assert api.counts("good") == {"waiting": 1}
    assert api.counts("bad") == {"running": 1}


def test_studies_that_are_kept_locked_are_no_absence_to_the_others(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    absences_count_from(api, 3)
    for number in range(4):
        api.submit(f"kept-{number}", lease_seconds=20)
        api.claim_one(study=f"kept-{number}")
    sweeper, good = sweeper_of(api), api.submit("good", lease_seconds=20)["id"]

    def kept(locked: Study | None) -> Study | None:
        if locked is not None and locked.id != good:
            api.clock.move(2)
            raise StorageUnavailable("others hold its lock")
        return locked

    there_for(sweeper, api, 10)
    api.claim_one(study="good")
    change_locks(monkeypatch, kept)
    there_for(sweeper, api, 20)
    assert api.counts("good") == {"waiting": 1}


def test_a_study_that_cannot_be_looked_at_keeps_the_database_from_nothing(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.submit("bad")
    api.claim_one()
    fail_to_lock(api, "bad", monkeypatch, RuntimeError("it is damaged"))
    with pytest.raises(StorageUnavailable):
        api.app.state.database.write(refused_for_want_of_room)
    api.submit("good")
    assert api.app.state.database.trouble is None


def refused_for_want_of_room(_: Store) -> None:
    error = library().OperationalError("database or disk is full")
    error.sqlite_errorcode = 13
    raise error


def fail_to_lock(api: Api, name: str, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Let a study be one that cannot be looked at."""
    bad = api.show(name)["id"]

    def failing(locked: Study | None) -> Study | None:
        if locked is not None and locked.id == bad:
            raise error
        return locked

    change_locks(monkeypatch, failing)


def change_locks(monkeypatch: pytest.MonkeyPatch, change: Callable[[Study | None], Study | None]) -> None:
    """Let something happen whenever a study has been locked."""
    lock = Studies.lock

    def changed(studies: Studies, study_id: str, *, wait: bool) -> Study | None:
        return change(lock(studies, study_id, wait=wait))

    monkeypatch.setattr(Studies, "lock", changed)
