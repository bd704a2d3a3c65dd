"""Attendance: for how long a server has been there, by a clock that may be set."""

from datetime import UTC, datetime, timedelta

import pytest

from service.storage.attendance import Attendance, Presence

AWAY = 3


def at(seconds: float) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def noted(*seconds: float) -> Presence:
    """Begun at the first of these times, and noted at the others."""
    presence = Presence(AWAY)
    presence.begin(at(seconds[0]))
    for second in seconds[1:]:
        presence.note(at(second))
    return presence


def test_it_covers_the_time_since_it_began() -> None:
    presence = noted(0, 2, 4)
    assert presence.covers(4, at(4))
    assert not presence.covers(5, at(4))


def test_a_gap_ends_it_until_a_return_which_counts_it_as_no_time() -> None:
    presence = noted(0, 3, 6, 10)
    assert presence.gap(at(10)) == timedelta(seconds=4)
    assert not presence.covers(1, at(10))
    presence.resume(at(10))
    assert presence.covers(6, at(10))
    assert not presence.covers(7, at(10))


def test_a_clock_that_is_set_back_by_moments_takes_nothing_from_it_and_adds_nothing() -> None:
    presence = noted(0, 2, 4, 3)
    assert presence.covers(4, at(3))
    assert not presence.covers(5, at(3))
    assert not presence.lasts(at(7))


def test_a_clock_that_is_set_back_further_is_a_gap() -> None:
    presence = noted(100, 102, 50)
    assert not presence.lasts(at(50))
    presence.resume(at(50))
    assert presence.covers(2, at(50))
    assert not presence.covers(3, at(50))
    assert not presence.lasts(at(54))


def test_after_a_gap_one_without_the_lead_begins_anew_only_when_it_has_been_back_for_a_while() -> None:
    presence = noted(0, 1)
    for second in (10, 11, 12, 13):
        presence.stand_by(at(second))
        assert not presence.lasts(at(second))
    presence.stand_by(at(14))
    assert presence.covers(0, at(14))
    assert not presence.covers(1, at(14))


def test_each_gap_gives_the_lead_the_same_while_to_come_back() -> None:
    presence = noted(0)
    for second in (10, 20):
        presence.stand_by(at(second))
        assert presence.gap(at(second)) > timedelta(seconds=AWAY)
        presence.resume(at(second))


def test_one_that_has_never_begun_begins_at_its_first_look() -> None:
    presence = Presence(AWAY)
    presence.stand_by(at(0))
    assert presence.begun


@pytest.mark.parametrize(("lease_seconds", "away"), [(1, 3), (9, 3), (17, 3), (18, 6), (30, 6), (86_400, 24_576)])
def test_for_longer_leases_longer_gaps_are_none_up_to_a_third_of_them(lease_seconds: float, away: float) -> None:
    attendance = Attendance(AWAY)
    attendance.begin(at(0))
    assert attendance.of(lease_seconds).lasts(at(away))
    assert not attendance.of(lease_seconds).lasts(at(away + 1))


def test_where_every_note_is_late_for_short_leases_the_long_ones_are_covered_all_the_same() -> None:
    attendance = Attendance(AWAY)
    attendance.begin(at(0))
    for second in range(0, 40, 5):
        attendance.note(at(second))
    assert attendance.covers("study", 30, at(35))
    assert not attendance.covers("study", 10, at(35))
    assert attendance.interrupted(at(35)) == [attendance.of(10)]


def test_a_study_that_is_out_of_reach_is_not_covered_until_it_is_regained() -> None:
    attendance = Attendance(AWAY)
    attendance.begin(at(0))
    attendance.note(at(3))
    for second in (1, 2):
        attendance.lose("kept", at(second))
    assert attendance.out_of_reach == {"kept": at(1)}
    assert not attendance.covers("kept", 3, at(3))
    assert attendance.covers("another", 3, at(3))
    attendance.regain("kept", at(3))
    assert attendance.covers("kept", 3, at(3))


def test_a_study_was_within_reach_if_it_was_not_regained_within_a_lease() -> None:
    attendance = Attendance(AWAY)
    assert attendance.was_within_reach("kept", 30, at(0))
    attendance.regain("kept", at(10))
    assert not attendance.was_within_reach("kept", 30, at(39))
    assert attendance.was_within_reach("kept", 30, at(40))


def test_who_begins_knows_of_no_study_that_is_or_was_out_of_reach() -> None:
    attendance = Attendance(AWAY)
    attendance.lose("kept", at(0))
    attendance.regain("another", at(0))
    attendance.begin(at(1))
    assert attendance.out_of_reach == {}
    assert attendance.was_within_reach("another", 30, at(1))
