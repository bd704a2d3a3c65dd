"""Two that come to one place at once, in both orders: what others lost a result or overran a budget by."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from service.domain.errors import LeaseLost
from service.operations import claim
from service.operations.expire import expire_leases
from service.storage.postgresql_engine import own_session
from service.storage.rounds import Rounds
from service.storage.store import Store
from service.storage.studies import Studies
from service.storage.trials import Trials
from tests.integration.harness import PATIENCE_SECONDS, Api, ok, refused, until

pytestmark = pytest.mark.usefixtures("suggesting_on_demand")

NARROWER = {"ranges": {"lr": {"low": 0.01, "high": 0.1}}}


class Gate:
    """Holds the first who comes to a place; those who come later pass."""

    def __init__(self) -> None:
        self.arrived, self.opened = threading.Event(), threading.Event()
        self._first = threading.Lock()

    def hold(self) -> None:
        if self._first.acquire(blocking=False):
            self.arrived.set()
            assert self.opened.wait(PATIENCE_SECONDS)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


class Race:
    """Holds one in the middle of its transaction while the other asks for the same, then lets it go on."""

    def __init__(self, api: Api, pool: ThreadPoolExecutor, patch: pytest.MonkeyPatch) -> None:
        self._api, self._pool, self._patch = api, pool, patch

    def run(
        self,
        first: Callable[[], Any],
        at: tuple[object, str],
        second: Callable[[], Any],
        meanwhile: Callable[[], None] = lambda: None,
    ) -> tuple[Any, Any]:
        """What both were answered; the first is held just after its call of a function."""
        gate = Gate()
        place, name = at
        original = getattr(place, name)

        def held(*arguments: Any, **named: Any) -> Any:
            result = original(*arguments, **named)
            gate.hold()
            return result

        self._patch.setattr(place, name, held)
        ahead = self._pool.submit(first)
        assert gate.arrived.wait(PATIENCE_SECONDS)
        behind = self._pool.submit(second)
        self._wait_until_one_waits()
        assert not behind.done()
        meanwhile()
        gate.opened.set()
        return ahead.result(PATIENCE_SECONDS), behind.result(PATIENCE_SECONDS)

    def _wait_until_one_waits(self) -> None:
        if self._api.url.startswith("sqlite"):
            units = self._api.app.state.database._database._units
            until(lambda: not units.empty())
        else:
            with own_session(sa.make_url(self._api.url)) as session:
                until(lambda: session.execute(_WAITING).fetchone())


_WAITING = (
    "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database() AND pid IN "
    "(SELECT pid FROM pg_locks WHERE NOT granted)"
)


@pytest.fixture
def race(api: Api, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch) -> Race:
    return Race(api, pool, monkeypatch)


def test_the_sweep_against_a_completion_that_lands_between_its_read_and_its_write(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = api.submit(budget={"trials": 1})["id"]
    claimed = api.claim_one()
    api.clock.move(31)
    database = api.app.state.database
    seen = database.read(lambda store: store.trials.expired(study, store.now))
    ok(api.complete(claimed, 0.7))
    monkeypatch.setattr(Trials, "expired", lambda *_: seen)
    with pytest.raises(LeaseLost):
        database.write(lambda store: expire_leases(store, store.studies.get(study)))
    trial = api.trial(0)
    assert (trial["status"], trial["value"], trial["attempts"][0]["end"]) == ("completed", 0.7, "completed")
    assert api.counts() == {"completed": 1}


def test_the_sweep_against_a_completion_that_comes_after_it_has_looked(api: Api, race: Race) -> None:
    api.submit(budget={"trials": 1})
    claimed = api.claim_one()
    api.clock.move(31)
    _, answer = race.run(api.sweep, (Trials, "expired"), lambda: api.complete(claimed))
    refused(answer, 409, "lease-lost")
    assert api.counts() == {"waiting": 1}


def test_the_sweep_against_a_completion_that_came_first(api: Api, race: Race) -> None:
    api.submit(budget={"trials": 1})
    claimed = api.claim_one()
    api.clock.move(31)
    answer, _ = race.run(lambda: api.complete(claimed), (Trials, "held"), api.sweep)
    assert ok(answer)["trial"]["status"] == "completed"
    assert api.counts() == {"completed": 1}
    assert [one["end"] for one in api.trial(0)["attempts"]] == ["completed"]


def test_two_claims_of_the_last_trial_of_a_budget(api: Api, race: Race) -> None:
    api.submit(budget={"trials": 3})
    api.run([0.1, 0.2])
    first, second = race.run(lambda: api.claim(1, worker="ann"), (claim, "draw"), lambda: api.claim(1, worker="bob"))
    assert (len(first), second) == (1, [])
    assert api.counts() == {"completed": 2, "running": 1}
    assert [trial["number"] for trial in api.trials()] == [0, 1, 2]


def test_a_claim_that_had_to_wait_for_its_turn_gives_a_whole_lease(api: Api, race: Race) -> None:
    api.submit()
    _, claimed = race.run(
        lambda: api.claim(1), (Trials, "next_waiting"), lambda: api.claim(1), lambda: api.clock.move(20)
    )
    assert datetime.fromisoformat(claimed[0]["lease"]["expires_at"]) == api.clock() + timedelta(seconds=30)


def test_a_report_that_had_to_wait_for_its_turn_renews_for_a_whole_lease(api: Api, race: Race) -> None:
    api.submit()
    held = api.claim_one()
    _, said = race.run(
        lambda: api.claim(1), (Trials, "next_waiting"), lambda: api.tell(held, "report"), lambda: api.clock.move(20)
    )
    assert datetime.fromisoformat(ok(said)["expires_at"]) == api.clock() + timedelta(seconds=30)


def test_a_stop_against_a_claim_that_came_first(api: Api, race: Race) -> None:
    api.submit()
    claimed, stopped = race.run(lambda: api.claim(1), (Trials, "next_waiting"), lambda: api.post("/studies/study/stop"))
    assert ok(stopped)["status"] == "stopped"
    assert ok(api.tell(claimed[0], "report"))["action"] == "stop"
    assert api.counts() == {"cancelled": 1}


def test_a_claim_against_a_stop_that_came_first(api: Api, race: Race) -> None:
    api.submit()
    stopped, claimed = race.run(lambda: api.post("/studies/study/stop"), (Trials, "in_status"), lambda: api.claim(1))
    assert (ok(stopped)["status"], claimed) == ("stopped", [])
    assert api.counts() == {}


def test_a_narrowing_against_a_claim_that_came_first(api: Api, race: Race) -> None:
    api.submit()
    claimed, opened = race.run(
        lambda: api.claim(1), (claim, "draw"), lambda: api.post("/studies/study/rounds", NARROWER)
    )
    assert ok(opened, 201)["number"] == 1
    assert api.trial(claimed[0]["number"])["round"] == 0
    assert 0.01 <= api.claim_one()["params"]["lr"] <= 0.1


def test_a_claim_against_a_narrowing_that_came_first(api: Api, race: Race) -> None:
    api.submit()
    opened, claimed = race.run(
        lambda: api.post("/studies/study/rounds", NARROWER), (Rounds, "add"), lambda: api.claim(1)
    )
    assert ok(opened, 201)["number"] == 1
    assert 0.01 <= claimed[0]["params"]["lr"] <= 0.1


def test_a_suggestion_of_before_is_not_claimed_beside_a_narrowing(api: Api, race: Race) -> None:
    api.submit(search={"algorithm": "bayesian", "seed": 7})
    api.suggest()
    assert api.counts()["waiting"] > 0
    _, claimed = race.run(
        lambda: api.post("/studies/study/rounds", NARROWER), (Trials, "withdraw_unclaimed"), lambda: api.claim(1)
    )
    assert all(0.01 <= trial["params"]["lr"] <= 0.1 for trial in claimed)


def rows_of(table: str) -> Callable[[Store], int]:
    return lambda store: int(store._connection.scalar(sa.text(f"SELECT count(*) FROM {table}")) or 0)


def test_a_delete_against_a_report_that_came_first(api: Api, race: Race) -> None:
    api.submit()
    claimed = api.claim_one()
    ok(api.post("/studies/study/pause"))
    reported, deleted = race.run(
        lambda: api.tell(claimed, "report", epochs=[{"epoch": 1, "score": 0.1}]),
        (Trials, "held"),
        lambda: api.delete("/studies/study"),
    )
    assert ok(reported)["action"] == "continue"
    ok(deleted, 204)
    assert [api.app.state.database.read(rows_of(table)) for table in ("trials", "attempts", "curves")] == [0, 0, 0]


def test_a_report_against_a_delete_that_came_first(api: Api, race: Race) -> None:
    api.submit()
    claimed = api.claim_one()
    ok(api.post("/studies/study/pause"))
    deleted, reported = race.run(
        lambda: api.delete("/studies/study"),
        (Studies, "delete"),
        lambda: api.tell(claimed, "report", epochs=[{"epoch": 1, "score": 0.1}]),
    )
    ok(deleted, 204)
    refused(reported, 404, "trial-not-found")
    assert [api.app.state.database.read(rows_of(table)) for table in ("trials", "attempts", "curves")] == [0, 0, 0]
