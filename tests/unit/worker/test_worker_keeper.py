"""The keeper of a lease, with a clock that stands still: what it sends, and what it hears."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from worker_fakes import Clock, FakeServer, refusal

from client import Unreachable
from service.protocol import ClaimedTrial
from worker.keeper import Keeper
from worker.stopping import Halt, Stopped


def nothing_follows(trials: Sequence[ClaimedTrial]) -> None:
    pytest.fail(f"{trials} came with an answer that was not the word to stop")


@pytest.fixture
def keeper(server: FakeServer, claimed: Callable[..., ClaimedTrial], clock: Clock) -> Keeper:
    return Keeper(server, claimed(), lambda: False, nothing_follows, clock)  # type: ignore[arg-type]


def gone() -> Unreachable:
    return Unreachable("http://server", "refused")


def at(keeper: Keeper, clock: Clock, seconds: float) -> None:
    clock.now = seconds
    keeper.step()


def test_a_short_trial_sends_no_report(keeper: Keeper, server: FakeServer, clock: Clock) -> None:
    for number in range(1, 51):
        keeper.report({"epoch": number, "train_loss": 0.5})
        at(keeper, clock, number * 0.005)
    assert server.calls == []
    assert len(keeper.rest()) == 50


def test_epochs_leave_in_batches(keeper: Keeper, server: FakeServer, clock: Clock) -> None:
    for number in range(1, 11):
        keeper.report({"epoch": number})
        at(keeper, clock, number * 0.25)
    assert [told["epochs"] for _, told in server.calls] == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


def test_an_epoch_that_a_rule_waits_for_leaves_at_once(
    server: FakeServer, claimed: Callable[..., ClaimedTrial], clock: Clock
) -> None:
    server.report_at = [5]
    keeper = Keeper(server, claimed(report_at=2), lambda: False, nothing_follows, clock)  # type: ignore[arg-type]
    for number in range(1, 8):
        keeper.report({"epoch": number})
        at(keeper, clock, number * 0.01)
    assert [told["epochs"] for _, told in server.calls] == [[1, 2], [3, 4, 5]]


@pytest.mark.parametrize(("epoch_seconds", "asked"), [(0.1, 1), (2.0, 0)])
def test_with_the_word_to_stop_comes_the_next_trial_unless_its_lease_would_have_to_wait_long(
    server: FakeServer, claimed: Callable[..., ClaimedTrial], clock: Clock, epoch_seconds: float, asked: int
) -> None:
    server.actions, server.next_trials = ["stop"], [claimed(id=8)]
    held: list[ClaimedTrial] = []
    keeper = Keeper(server, claimed(report_at=2), lambda: False, held.extend, clock)  # type: ignore[arg-type]
    clock.now = 2 * epoch_seconds
    keeper.report({"epoch": 1})
    keeper.report({"epoch": 2})
    keeper.step()
    assert [told["claim_next"] for _, told in server.calls] == [asked]
    assert [trial.id for trial in keeper.claimed] == [8] * asked
    assert held == keeper.claimed


def test_a_long_epoch_renews_the_lease(keeper: Keeper, server: FakeServer, clock: Clock) -> None:
    for second in range(31):
        at(keeper, clock, second)
    assert [told["epochs"] for _, told in server.calls] == [[], [], []]


def test_a_stop_reaches_the_objective_at_its_next_epoch(keeper: Keeper, server: FakeServer, clock: Clock) -> None:
    server.actions = ["stop"]
    at(keeper, clock, 10)
    with pytest.raises(Stopped) as caught:
        keeper.report({"epoch": 1})
    assert caught.value.halt is keeper.told is Halt.STOP


@pytest.mark.parametrize(("status", "slug"), [(409, "lease-lost"), (404, "trial-not-found")])
def test_a_lost_lease_ends_the_attempt_and_the_reports(
    keeper: Keeper, server: FakeServer, clock: Clock, status: int, slug: str
) -> None:
    server.errors = {"report": [refusal(status, slug)]}
    for second in (10, 20, 30):
        at(keeper, clock, second)
    assert len(server.calls) == 1
    with pytest.raises(Stopped) as caught:
        keeper.check()
    assert caught.value.halt is Halt.LEASE_LOST


def test_epochs_of_a_server_that_is_away_are_kept_and_sent_again(
    keeper: Keeper, server: FakeServer, clock: Clock
) -> None:
    server.errors = {"report": [gone(), gone()]}
    keeper.report({"epoch": 1})
    for second in range(1, 9):
        at(keeper, clock, second)
    keeper.check()
    assert [told["epochs"] for _, told in server.calls][:3] == [[1], [1], [1]]
    assert keeper.rest() == []


def test_a_report_that_is_refused_is_left_out_and_the_trial_goes_on(
    keeper: Keeper, server: FakeServer, clock: Clock
) -> None:
    server.errors = {"report": [refusal(422, "invalid-input")]}
    keeper.report({"epoch": 1})
    at(keeper, clock, 1)
    keeper.report({"epoch": 2})
    assert [epoch.epoch for epoch in keeper.rest()] == [2]


def test_the_end_of_the_process_stops_the_objective_between_epochs(
    server: FakeServer, claimed: Callable[..., ClaimedTrial]
) -> None:
    keeper = Keeper(server, claimed(), lambda: True, nothing_follows)  # type: ignore[arg-type]
    with pytest.raises(Stopped) as caught:
        keeper.report({"epoch": 1})
    assert caught.value.halt is Halt.SHUTDOWN
    assert len(keeper.rest()) == 1


def test_the_thread_renews_while_the_objective_is_silent(
    server: FakeServer, claimed: Callable[..., ClaimedTrial]
) -> None:
    renewed = threading.Event()

    def report(*_: object, **__: object) -> Any:
        renewed.set()
        return FakeServer().report(7, "token-1")

    server.report = report  # type: ignore[method-assign]
    lease = {"token": "token-1", "expires_at": "2026-01-01T00:00:30Z", "renew_seconds": 0.01}
    with Keeper(server, claimed(lease=lease), lambda: False, nothing_follows):  # type: ignore[arg-type]
        assert renewed.wait(timeout=120)


def test_the_end_of_an_attempt_does_not_wait_for_a_renewal(keeper: Keeper, server: FakeServer) -> None:
    with keeper:
        keeper.report({"epoch": 1})
    assert not keeper._thread.is_alive()
    assert server.calls == []
