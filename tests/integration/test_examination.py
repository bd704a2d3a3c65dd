"""Looking through a database: nothing is found where all is well, and each fault by its name."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from service.storage import migrations
from service.storage.examination import MOST_SHOWN, examine, faults_in
from service.storage.invariants import INVARIANTS
from tests.integration.harness import Api, ok

FINISHED = "(SELECT MIN(id) FROM trials WHERE status = 'completed')"
RUNNING = "(SELECT MIN(id) FROM trials WHERE status = 'running')"
BREAKING = {
    "the counts of trials are what the trials add up to": "UPDATE trial_counts SET trials = trials + 1",
    "every trial is in a count": "DELETE FROM trial_counts",
    "the budget counts every search trial that is neither imported nor cancelled": "UPDATE studies SET budgeted = 99",
    "the next number of a study is above all numbers": "UPDATE studies SET next_number = 2",
    "the last event of a study is the highest": "UPDATE studies SET last_event = last_event + 1",
    "a completed study has no search trial that waits or runs": "UPDATE studies SET status = 'completed'",
    "the rounds of studies and trials are there": f"UPDATE trials SET round = 7 WHERE id = {FINISHED}",
    "a lease is on a running trial, and it ends": f"UPDATE trials SET lease_expires_at = NULL WHERE id = {RUNNING}",
    "a running trial has one attempt under way, which holds its lease; others have none": (
        f"UPDATE attempts SET token = '00000009-x' WHERE trial_id = {RUNNING} AND ended_at IS NULL"
    ),
    "every lease that was given is an attempt, and no attempt counts twice": (
        f"DELETE FROM attempts WHERE trial_id = {FINISHED}"
    ),
    "tokens grow with the leases of a trial": "UPDATE attempts SET token = '00000000-x' WHERE lease = 2",
    "a trial is completed, or pruned, by one attempt, the last": (
        "UPDATE attempts SET \"end\" = 'completed' WHERE \"end\" = 'lost'"
    ),
    "a trial that has ended has its place among the events, and no other has": (
        f"UPDATE trials SET finished_event = NULL WHERE id = {FINISHED}"
    ),
    "a failed trial says why, and no other does": f"UPDATE trials SET failure_reason = 'lost' WHERE id = {FINISHED}",
    "a study has one final test at most, opened when it was first handed out": (
        "UPDATE final_tests SET opened_at = NULL"
    ),
}


def eventful(api: Api) -> None:
    """A study in which nearly everything has happened that can happen to a trial."""
    api.submit(budget={"trials": 12}, retry={"max_attempts": 2})
    api.run([0.1, 0.2, 0.3])
    ok(api.tell(api.claim_one(), "fail", reason="error", message="no", retryable=False))
    ok(api.tell(api.claim_one(), "fail", reason="error", message="no", retryable=True))
    ok(api.tell(api.claim_one(), "release"))
    api.claim_one()
    api.clock.move(60)
    api.sweep()
    ok(api.post("/studies/study/trials", {"trials": [{"params": {"lr": 0.1}, "value": 0.9}]}), 201)
    ok(api.post("/studies/study/trials", {"trials": [{"params": {"lr": 0.2}}]}), 201)
    ok(api.post("/studies/study/trials/3/retry"))
    ok(api.post("/studies/study/rounds", {"ranges": {"lr": {"low": 1e-3, "high": 0.5}}}), 201)
    ok(api.post("/studies/study/confirmation", {"n": 1, "seeds": 2}))
    ok(api.post("/studies/study/final-test", {"trial": 0}))
    api.claim_one(purposes=["final_test"])
    api.claim_one()
    waiting = next(trial for trial in api.trials(status="waiting") if trial["attempt"] == 0)
    ok(api.post(f"/studies/study/trials/{waiting['number']}/cancel"))


@contextmanager
def undone(url: str) -> Iterator[sa.Connection]:
    """A connection whose changes do not stay."""
    engine = migrations.migration_engine(url)
    with engine.connect() as connection:
        yield connection
        connection.rollback()
    engine.dispose()


def test_nothing_is_found_in_a_database_beside_its_server(api: Api) -> None:
    eventful(api)
    found = examine(api.url)
    assert found.faults == []
    assert found.checks >= len(INVARIANTS)


def test_every_invariant_is_broken_here() -> None:
    assert set(BREAKING) == set(INVARIANTS)


def test_each_fault_is_found_by_its_name(api: Api) -> None:
    eventful(api)
    for name, statement in BREAKING.items():
        with undone(api.url) as connection:
            assert connection.execute(sa.text(statement)).rowcount > 0, name
            faults = {fault.invariant: fault for fault in faults_in(connection)}
        assert name in faults
        assert 1 <= len(faults[name].offenders) <= MOST_SHOWN


@pytest.mark.parametrize("byte", [b"\xff", b"\x00"])
def test_a_damaged_file_is_found(byte: bytes, sqlite_template: Path, tmp_path: Path) -> None:
    file = tmp_path / "damaged.db"
    file.write_bytes(sqlite_template.read_bytes())
    with file.open("r+b") as opened:
        opened.seek(8 * 4096)
        opened.write(byte * 4096)
    faults = examine(f"sqlite:///{file}").faults
    assert "the file is whole" in [fault.invariant for fault in faults]
