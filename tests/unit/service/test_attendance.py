"""Attendance: for how long a server has been there, by a clock that may be set."""

from datetime import UTC, datetime, timedelta

from service.storage.attendance import Attendance

AWAY = 3


def at(seconds: float) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def noted(*seconds: float) -> Attendance:
    """Begun at the first of these times, and noted at the others."""
    attendance = Attendance(AWAY)
    attendance.begin(at(seconds[0]))
    for second in seconds[1:]:
        attendance.note(at(second))
    return attendance


def test_it_covers_the_time_since_it_began() -> None:
    attendance = noted(0, 2, 4)
    assert attendance.covers(4, at(4))
    assert not attendance.covers(5, at(4))


def test_a_gap_ends_it_until_a_return_which_counts_it_as_no_time() -> None:
    attendance = noted(0, 3, 6, 10)
    assert attendance.gap(at(10)) == timedelta(seconds=4)
    assert not attendance.covers(1, at(10))
    attendance.resume(at(10))
    assert attendance.covers(6, at(10))
    assert not attendance.covers(7, at(10))


def test_a_clock_that_is_set_back_by_moments_takes_nothing_from_it_and_adds_nothing() -> None:
    attendance = noted(0, 2, 4, 3)
    assert attendance.covers(4, at(3))
    assert not attendance.covers(5, at(3))
    assert not attendance.lasts(at(7))


def test_a_clock_that_is_set_back_further_is_a_gap() -> None:
    attendance = noted(100, 102, 50)
    assert not attendance.lasts(at(50))
    attendance.resume(at(50))
    assert attendance.covers(2, at(50))
    assert not attendance.covers(3, at(50))
    assert not attendance.lasts(at(54))


def test_after_a_gap_one_without_the_lead_begins_anew_only_when_it_has_been_back_for_a_while() -> None:
    attendance = noted(0, 1)
    for second in (10, 11, 12, 13):
        attendance.stand_by(at(second))
        assert not attendance.lasts(at(second))
    attendance.stand_by(at(14))
    assert attendance.covers(0, at(14))
    assert not attendance.covers(1, at(14))


def test_each_gap_gives_the_lead_the_same_while_to_come_back() -> None:
    attendance = noted(0)
    for second in (10, 20):
        attendance.stand_by(at(second))
        assert attendance.gap(at(second)) > timedelta(seconds=AWAY)
        attendance.resume(at(second))


def test_one_that_has_never_begun_begins_at_its_first_look() -> None:
    attendance = Attendance(AWAY)
    attendance.stand_by(at(0))
    assert attendance.begun
