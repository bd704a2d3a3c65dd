"""A study that somebody else keeps locked on PostgreSQL: whoever can do without it goes on."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from service.storage import postgresql, postgresql_groups
from service.storage.postgresql_engine import Session, own_session
from tests.integration.attending import sweeper_of, there_for
from tests.integration.conftest import served
from tests.integration.grouped import brief_leads
from tests.integration.harness import Api, refused


@pytest.fixture
def api(url: sa.URL) -> Iterator[Api]:
    with served(url.render_as_string(hide_password=False)) as api:
        yield api


@pytest.fixture
def other(url: sa.URL) -> Iterator[Session]:
    with own_session(url) as session:
        yield session


def keep(session: Session, *studies: str) -> None:
    session.execute("BEGIN")
    session.execute("SELECT id FROM studies WHERE name = ANY(%s) FOR UPDATE", [list(studies)])


def test_a_claim_is_given_a_trial_of_another_study(api: Api, other: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    brief_leads(monkeypatch)
    api.submit("kept")
    api.clock.move(1)
    free = api.submit("free")["id"]
    keep(other, "kept")
    assert api.claim_one()["study"] == free


def test_a_claim_that_has_changed_something_elsewhere_waits_for_no_study(
    api: Api, other: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others would wait for what it has locked."""
    brief_leads(monkeypatch)
    api.submit("kept")
    api.submit("full", max_parallel=1)
    api.claim_one(study="full")
    keep(other, "kept")
    assert api.claim(worker="bob") == []


def test_a_claim_waits_for_a_study_where_no_other_has_work(
    api: Api, other: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief_leads(monkeypatch, patience=0.2)
    api.submit("kept")
    keep(other, "kept")
    answer = api.post("/claims", {"worker": "ann", "objectives": ["bowl"]})
    assert answer.headers["Retry-After"]
    assert "others hold the locks" in refused(answer, 503, "storage-unavailable")["detail"]


def test_the_sweep_takes_back_what_others_have(api: Api, other: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    brief_leads(monkeypatch)
    for name in ("kept", "free"):
        api.submit(name)
        api.claim_one(study=name)
    keep(other, "kept")
    there_for(sweeper_of(api), api, 32)
    assert api.counts("free") == {"waiting": 1}
    assert api.counts("kept") == {"running": 1}


def out_of_reach(api: Api, other: Session) -> None:
    """A trial runs in a study that is locked until after the end of its lease."""
    api.submit("kept")
    api.claim_one()
    keep(other, "kept")
    there_for(sweeper_of(api), api, 40)


def test_whoever_has_a_lease_in_it_has_that_time_back_and_a_third_of_a_lease(
    api: Api, other: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief_leads(monkeypatch)
    out_of_reach(api, other)
    other.execute("ROLLBACK")
    there_for(sweeper_of(api), api, 9)
    assert api.counts("kept") == {"running": 1}
    there_for(sweeper_of(api), api, 2)
    assert api.counts("kept") == {"waiting": 1}


def test_a_study_that_is_locked_now_and_then_keeps_no_trial_with_a_worker_that_is_gone(
    api: Api, other: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief_leads(monkeypatch)
    api.submit("kept")
    api.claim_one()
    there_for(sweeper_of(api), api, 29)
    for _ in range(3):
        keep(other, "kept")
        there_for(sweeper_of(api), api, 2)
        other.execute("ROLLBACK")
        there_for(sweeper_of(api), api, 10)
    assert api.counts("kept") == {"waiting": 1}


def test_a_lead_that_is_lost_for_a_moment_takes_no_lease_in_it(
    api: Api, other: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief_leads(monkeypatch)
    out_of_reach(api, other)
    there_for(sweeper_of(api, leads=lambda: False), api, 1)
    other.execute("ROLLBACK")
    there_for(sweeper_of(api), api, 1)
    assert api.counts("kept") == {"running": 1}


@pytest.mark.parametrize("locked", [1, 3])
def test_claims_of_many_workers_are_given_trials_of_another_study(
    api: Api, other: Session, locked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_groups, "LEADING", "SET LOCAL lock_timeout = 200; ")
    monkeypatch.setattr(postgresql_groups, "HURRIED", "SET LOCAL lock_timeout = 20; ")
    monkeypatch.setattr(postgresql, "PATIENCE_SECONDS", 1.5)
    for number in range(locked):
        api.submit(f"kept-{number}")
    api.clock.move(1)
    free = api.submit("free", budget={"trials": 12})["id"]
    keep(other, *(f"kept-{number}" for number in range(locked)))
    with ThreadPoolExecutor(12) as workers:
        claimed = list(workers.map(lambda number: api.claim_one(worker=f"worker-{number}"), range(12)))
    assert {one["study"] for one in claimed} == {free}
