"""Which numbers are drawn of a study with more trials than a narrowing looks at."""

import pytest

from service.operations.selection import drawn_numbers, evenly


def test_all_numbers_are_drawn_where_they_are_no_more_than_asked_for() -> None:
    assert evenly(3, 7, 10) == [3, 4, 5, 6]
    assert drawn_numbers(4, 10, 10) == list(range(10))


def test_numbers_are_drawn_as_far_apart_as_each_other() -> None:
    assert evenly(0, 100, 4) == [12, 37, 62, 87]


def test_nothing_is_drawn_of_nothing() -> None:
    assert evenly(5, 5, 3) == []


@pytest.mark.parametrize(
    ("first", "recent"),
    [(0, 100), (30, 70), (500, 50), (900, 50), (980, 20), (999, 1)],
    ids=["one round", "a few before it", "as many", "more", "few of it", "one of it"],
)
def test_half_are_of_the_round_in_force_or_all_that_it_has_or_what_no_others_could_be(first: int, recent: int) -> None:
    numbers = drawn_numbers(first, 1000, 100)
    assert len(set(numbers)) == 100
    assert numbers == sorted(numbers)
    assert 0 <= numbers[0] <= numbers[-1] < 1000
    assert sum(number >= first for number in numbers) == recent
