"""Which epochs leave in which report, and when it is due."""

import pytest
from worker_fakes import Clock

from service.protocol import Epoch
from worker.outbox import LARGEST_BATCH, Outbox
from worker.patience import LONGEST_PAUSE_SECONDS, for_a_result


@pytest.fixture
def outbox(clock: Clock) -> Outbox:
    return Outbox(renew_seconds=10.0, batch_seconds=0.75, clock=clock)


def numbers(epochs: object) -> list[int]:
    return [epoch.epoch for epoch in epochs]  # type: ignore[attr-defined]


def test_an_empty_outbox_is_due_when_the_lease_is(outbox: Outbox) -> None:
    assert outbox.due_in_seconds() == 10.0


def test_an_epoch_that_waits_is_due_a_batch_after_the_last_report(outbox: Outbox, clock: Clock) -> None:
    clock.now = 0.5
    outbox.add(Epoch(epoch=1))
    assert outbox.due_in_seconds() == 0.25


def test_only_the_first_epoch_makes_the_next_report_earlier(outbox: Outbox) -> None:
    assert [outbox.add(Epoch(epoch=1)), outbox.add(Epoch(epoch=2))] == [True, False]


def test_a_short_lease_is_renewed_before_a_batch_is_full(clock: Clock) -> None:
    outbox = Outbox(renew_seconds=0.3, batch_seconds=0.75, clock=clock)
    outbox.add(Epoch(epoch=1))
    assert outbox.due_in_seconds() == pytest.approx(0.3)


def test_what_was_sent_is_gone_and_what_came_meanwhile_stays(outbox: Outbox) -> None:
    outbox.add(Epoch(epoch=1))
    batch = outbox.batch()
    outbox.add(Epoch(epoch=2))
    outbox.sent(batch)
    assert numbers(outbox.rest()) == [2]


def test_a_hurried_report_is_due_now_until_it_is_sent(outbox: Outbox) -> None:
    outbox.add(Epoch(epoch=1))
    outbox.hurry()
    assert outbox.due_in_seconds() == 0
    outbox.sent(outbox.batch())
    assert outbox.due_in_seconds() == 10.0


def test_a_hurry_that_came_while_a_report_was_on_its_way_is_not_forgotten(outbox: Outbox) -> None:
    outbox.add(Epoch(epoch=1))
    batch = outbox.batch()
    outbox.add(Epoch(epoch=2))
    outbox.hurry()
    outbox.sent(batch)
    assert outbox.due_in_seconds() == 0


def test_no_hurry_shortens_the_pause_after_a_report_without_an_answer(outbox: Outbox) -> None:
    outbox.add(Epoch(epoch=1))
    outbox.hurry()
    outbox.unanswered()
    assert outbox.due_in_seconds() > 0


def test_what_had_no_answer_is_kept_and_waits_longer_each_time(outbox: Outbox) -> None:
    outbox.add(Epoch(epoch=1))
    pauses = []
    for _ in range(8):
        outbox.unanswered()
        pauses.append(outbox.due_in_seconds())
    assert numbers(outbox.batch()) == [1]
    assert pauses == sorted(pauses)
    assert pauses[0] < 1 < pauses[-1] == LONGEST_PAUSE_SECONDS


def test_no_pause_is_longer_than_a_fresh_lease_of_a_server_that_is_back(clock: Clock) -> None:
    outbox = Outbox(renew_seconds=0.5, batch_seconds=0.75, clock=clock)
    for _ in range(8):
        outbox.unanswered()
    assert outbox.due_in_seconds() == 0.5
    assert for_a_result(0.5).pause_seconds(8) <= 0.5
    assert for_a_result(60.0).longest_pause_seconds == LONGEST_PAUSE_SECONDS


def test_a_server_that_asks_for_a_longer_pause_is_given_it(outbox: Outbox) -> None:
    outbox.unanswered(retry_after_seconds=7.0)
    assert outbox.due_in_seconds() == 7.0
    outbox.unanswered()
    assert outbox.due_in_seconds() < 7.0


def test_after_an_answer_the_pauses_are_short_again(outbox: Outbox) -> None:
    outbox.unanswered()
    outbox.sent([])
    assert outbox.due_in_seconds() == 10.0


def test_a_batch_has_a_largest_size(outbox: Outbox) -> None:
    for number in range(LARGEST_BATCH + 5):
        outbox.add(Epoch(epoch=number))
    assert len(outbox.batch()) == LARGEST_BATCH
    assert len(outbox.rest()) == LARGEST_BATCH + 5
