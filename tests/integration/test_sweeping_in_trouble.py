"""The sweeper where a study or a write fails or takes long: others have their turn, and nobody is found out late."""

import pytest

from service.domain.study import Study
from service.storage.condition import StorageUnavailable
from service.storage.sqlite_library import library
from service.storage.store import Store, Work
from tests.integration.attending import LONG, absences_count_from, change_locks, sweeper_of, there_for
from tests.integration.harness import Api, ok


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
