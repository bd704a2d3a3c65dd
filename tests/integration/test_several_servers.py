"""Several servers of one PostgreSQL database: one leads, all hear each other, and no commit is taken for granted."""

import itertools
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from service.storage.postgresql import LONGEST_PAUSE_SECONDS
from service.storage.postgresql_engine import ServerTooOld, own_session, require_version
from service.storage.postgresql_groups import TRIES
from service.storage.postgresql_membership import EXACT_SECONDS, LEADING, TRUSTED_SECONDS, PostgresqlMembership
from service.storage.store import OutcomeUnknown, Signal, Store, system_clock
from tests.integration.cluster import Cluster
from tests.integration.harness import PATIENCE_SECONDS, Api, MovableClock, ok, refused, spec, until
from tests.integration.postgresql_proxy import Loss, Proxy
from tests.integration.tried import Tried, execute, lose_a_race, note, notes


class Member:
    """A server's membership, what it heard, and whether it was elected."""

    def __init__(self, url: sa.URL, clock: Callable[[], datetime] = system_clock) -> None:
        self.heard: queue.SimpleQueue[frozenset[Signal]] = queue.SimpleQueue()
        self.elected = threading.Event()
        self.later_seconds = 0.0
        self.membership = PostgresqlMembership(url, clock, self.heard.put, self.elected.set, self._monotonic)

    def _monotonic(self) -> float:
        return time.monotonic() + self.later_seconds


@contextmanager
def joined(url: sa.URL, clock: Callable[[], datetime] = system_clock) -> Iterator[Member]:
    member = Member(url, clock)
    member.membership.join(lambda: None)
    try:
        yield member
    finally:
        member.membership.leave()


def end_session_of_leader(url: sa.URL) -> None:
    with own_session(url) as session:
        session.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND ((classid::bigint << 32) | objid::bigint) = %s",
            [LEADING],
        )


def test_of_servers_that_start_together_one_leads(url: sa.URL) -> None:
    members = [Member(url) for _ in range(4)]
    done_first: list[Member] = []
    gate = threading.Barrier(len(members))

    def join(member: Member) -> None:
        gate.wait()
        member.membership.join(lambda: done_first.append(member))

    with ThreadPoolExecutor(len(members)) as pool:
        list(pool.map(join, members))
    assert [member for member in members if member.membership.leads] == done_first
    assert len(done_first) == 1
    for member in members:
        member.membership.leave()


def test_whoever_joins_waits_for_what_the_leader_does_first(url: sa.URL) -> None:
    leader, follower = Member(url), Member(url)
    with ThreadPoolExecutor(1) as pool:

        def first() -> None:
            later = pool.submit(follower.membership.join, lambda: None)
            with own_session(url) as session:
                until(lambda: session.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone())
            assert not later.done()

        leader.membership.join(first)
    follower.membership.leave()
    leader.membership.leave()


def test_a_leader_that_leaves_hands_the_lead_over(url: sa.URL) -> None:
    with joined(url) as leader, joined(url) as follower:
        assert (leader.membership.leads, follower.membership.leads) == (True, False)
        leader.membership.leave()
        assert not leader.membership.leads
        assert follower.elected.wait(PATIENCE_SECONDS)
        assert follower.membership.leads


def test_a_leader_that_was_cut_off_comes_back_as_one_of_the_others(url: sa.URL, through: sa.URL, proxy: Proxy) -> None:
    with joined(through) as leader, joined(url) as follower:
        proxy.freeze()
        end_session_of_leader(url)
        assert follower.elected.wait(PATIENCE_SECONDS)
        proxy.thaw()
        until(lambda: not leader.membership.leads)
        assert follower.membership.leads
        until(lambda: leader.heard.qsize())
        assert leader.heard.get() == frozenset(Signal), "it may have missed anything"
        assert not leader.membership.leads


def test_a_leader_that_hears_nothing_of_its_database_does_not_act_as_one(through: sa.URL, proxy: Proxy) -> None:
    with joined(through) as leader:
        assert leader.membership.leads
        proxy.freeze()
        leader.later_seconds = TRUSTED_SECONDS
        assert not leader.membership.leads
        proxy.thaw()
        until(lambda: leader.membership.leads)


def test_what_one_server_commits_the_others_hear(url: sa.URL) -> None:
    with joined(url) as one, joined(url) as other:
        one.membership.tell(frozenset({Signal.WORK}))
        assert other.heard.get(timeout=PATIENCE_SECONDS) == {Signal.WORK}
        other.membership.tell(frozenset({Signal.HISTORY}))
        assert one.heard.get(timeout=PATIENCE_SECONDS) == {Signal.HISTORY}
        assert one.heard.empty(), "nobody hears itself"


def test_what_nobody_of_them_says_is_ignored(url: sa.URL) -> None:
    with joined(url) as member, own_session(url) as stranger:
        for payload in ("", "stranger", "stranger of another version"):
            stranger.execute("SELECT pg_notify('shibori', %s)", [payload])
        stranger.execute("SELECT pg_notify('shibori', 'stranger work')")
        assert member.heard.get(timeout=PATIENCE_SECONDS) == {Signal.WORK}
        assert member.heard.empty()


def test_servers_go_by_the_clock_of_their_database(url: sa.URL) -> None:
    slow, quick = MovableClock(), MovableClock()
    quick.move(3600)
    with joined(url, slow) as one, joined(url, quick) as other:
        apart = one.membership.now() - other.membership.now()
        assert abs(apart) < timedelta(seconds=5)


def test_a_clock_that_is_set_back_takes_no_time_of_the_servers_back(url: sa.URL) -> None:
    clock = MovableClock()
    with joined(url, clock) as member:
        before = member.membership.now()
        clock.move(-60)
        assert member.membership.now() >= before


def test_the_first_word_of_a_slow_database_tells_the_time_too(url: sa.URL) -> None:
    seconds = itertools.count()
    membership = PostgresqlMembership(
        url, MovableClock(), lambda _: None, lambda: None, lambda: next(seconds) * 2 * EXACT_SECONDS
    )
    membership.join(lambda: None)
    assert abs(membership.now() - system_clock()) < timedelta(minutes=1)
    membership.leave()


def test_a_commit_of_one_server_wakes_the_claims_that_wait_in_another(url: sa.URL) -> None:
    one, other = Api(str(url)), Api(str(url))
    before = other.app.state.notifier.generation
    one.submit()
    until(lambda: other.app.state.notifier.generation > before)
    assert len(other.claim(1)) == 1
    other.stop()
    one.stop()


def test_work_that_lost_a_race_is_done_again_after_a_pause(noted: Tried) -> None:
    def work(store: Store) -> None:
        note(store)
        if not noted.causes:
            lose_a_race(store)

    noted.database.write(work)
    assert noted.causes == ["serialization"]
    assert len(noted.pauses) == 1
    assert notes(noted.database) == 1


def test_work_that_loses_every_race_is_given_up(noted: Tried) -> None:
    with pytest.raises(sa.exc.OperationalError):
        noted.database.write(lose_a_race)
    assert noted.causes == ["serialization"] * (TRIES - 1)
    assert all(0 < pause <= LONGEST_PAUSE_SECONDS for pause in noted.pauses)
    assert noted.pauses[-1] > noted.pauses[0]


def test_a_race_that_is_lost_at_the_commit_itself_is_tried_again(noted: Tried) -> None:
    noted.database.write(lambda store: execute(store, _LOSES_ITS_FIRST_COMMIT))
    noted.database.write(note)
    assert noted.causes == ["serialization"]
    assert notes(noted.database) == 1


_LOSES_ITS_FIRST_COMMIT = """
    CREATE SEQUENCE commits;
    CREATE FUNCTION lose_first() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN IF nextval('commits') = 1 THEN RAISE EXCEPTION SQLSTATE '40001'; END IF; RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER lose_first AFTER INSERT ON notes DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION lose_first();
"""


def test_work_whose_connection_is_lost_before_its_commit_is_done_again(noted: Tried) -> None:
    def work(store: Store) -> None:
        note(store)
        if not noted.causes:
            execute(store, "SELECT pg_terminate_backend(pg_backend_pid())")

    noted.database.write(work)
    assert noted.causes == ["connection"]
    assert notes(noted.database) == 1


def test_a_reading_whose_connection_is_lost_is_done_again(noted: Tried) -> None:
    def work(store: Store) -> int:
        if not noted.causes:
            execute(store, "SELECT pg_terminate_backend(pg_backend_pid())")
        return 7

    assert noted.database.read(work) == 7
    assert noted.causes == ["connection"]


@pytest.mark.parametrize(("when", "there"), [("before", 0), ("after", 1)])
def test_a_commit_whose_answer_is_lost_is_neither_a_success_nor_repeated(
    noted: Tried, through: sa.URL, proxy: Proxy, when: Loss, there: int
) -> None:
    far = Tried(through)
    proxy.lose_commit(when)
    with pytest.raises(OutcomeUnknown):
        far.database.write(note)
    assert far.causes == []
    assert notes(noted.database) == there
    far.database.write(note)
    assert notes(noted.database) == there + 1
    far.database.close()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_request_with_a_key_whose_commit_was_lost_is_done_once_when_asked_again(
    through: sa.URL, proxy: Proxy, when: Loss
) -> None:
    api = Api(through.render_as_string(hide_password=False))
    key = {"Idempotency-Key": "k"}
    proxy.lose_commit(when)
    lost = refused(api.post("/studies", spec("once"), headers=key), 503, "outcome-unknown")
    assert "Idempotency-Key" in lost["detail"]
    ok(api.post("/studies", spec("once"), headers=key), 201)
    assert len(ok(api.get("/studies"))["items"]) == 1
    api.stop()


def test_a_commit_is_on_disk_also_where_the_server_would_not_wait_for_it(cluster: Cluster, tried: Tried) -> None:
    with own_session(sa.make_url(cluster.url("postgres"))) as session:
        assert session.execute("SHOW synchronous_commit").fetchone() == ("off",)
    shown = tried.database.write(lambda store: store._connection.scalar(sa.text("SHOW synchronous_commit")))
    assert shown == "on"


def test_a_postgresql_that_is_too_old_is_refused_with_a_sentence() -> None:
    require_version(130_000)
    with pytest.raises(ServerTooOld, match="PostgreSQL 12, and Shibori needs 13"):
        require_version(120_022)
