"""Each rule by examples worked out by hand."""

from typing import Any

import pytest

from service.domain.trial import Goal
from service.pruning import find
from service.pruning.base import Check, Course, Standing
from service.pruning.base import looks as rules_looks


def looks(name: str, *, full: int | None = 50, number: int = 0, every: int | None = None, **chosen: Any) -> list[int]:
    rule = find(name)
    assert rule is not None
    course = Course(number=number, seed=0, full=full, every=every)
    return [epoch for epoch, _ in rules_looks(rule, course, rule.Settings(**chosen), 0, range(1, 61))]


def verdict(name: str, values: list[float], others: int = 0, better: int = 0, **chosen: Any) -> str | None:
    rule = find(name)
    assert rule is not None
    check = Check(epoch=len(values), values=values, standing=Standing(others, better), goal=Goal.MAXIMIZE)
    said: str | None = rule.verdict(check, rule.Settings(**chosen))
    return said


def faults(name: str, course: Course, **chosen: Any) -> list[tuple[str, str]]:
    rule = find(name)
    assert rule is not None
    found: list[tuple[str, str]] = rule.faults(course, rule.Settings(**chosen))
    return found


def test_asha_looks_at_rungs_that_lie_ever_farther_apart_and_not_at_the_end() -> None:
    assert looks("asha", first=2, reduction=3) == [2, 6, 18]
    assert looks("asha", first=2, reduction=5) == [2, 10]
    assert looks("asha", first=2, reduction=3, full=None) == [2, 6, 18, 54]


@pytest.mark.parametrize(
    ("others", "better", "stops"), [(0, 0, False), (1, 1, True), (2, 0, False), (5, 1, False), (5, 2, True)]
)
def test_asha_lets_one_run_in_three_go_on_and_always_the_best(others: int, better: int, stops: bool) -> None:
    assert (verdict("asha", [0.5, 0.5, 0.5], others, better, reduction=3) is not None) is stops


def test_asha_says_where_a_run_stood() -> None:
    said = verdict("asha", [0.1, 0.2, 0.25], 8, 4)
    assert said == "At epoch 3 its value, 0.25, is behind that of 4 of 8 other runs, and the best 3 go on."


def test_hyperband_begins_to_stop_late_in_late_brackets() -> None:
    starts = {looks("hyperband", number=number)[0] for number in range(30)}
    assert starts == {3, 9, 27}


def test_hyperband_gives_each_bracket_its_share_of_the_runs() -> None:
    # With two, one and no halvings to come: 1/3 * 9, 1/2 * 3 and 1 * 1, so 3 : 1.5 : 1.
    first = [looks("hyperband", number=number)[0] for number in range(1_100)]
    assert [first.count(start) / 1_100 for start in (3, 9, 27)] == pytest.approx([6 / 11, 3 / 11, 2 / 11], abs=0.005)


def test_hyperband_must_know_how_long_a_run_is() -> None:
    ((field, sentence),) = faults("hyperband", Course(number=0, seed=0))
    assert field == "settings.epochs"
    assert "required" in sentence
    assert faults("hyperband", Course(number=0, seed=0), epochs=9) == []
    assert faults("hyperband", Course(number=0, seed=0, full=2))[0][0] == "settings.first"


@pytest.mark.parametrize("name", ["asha", "hyperband"])
def test_rules_with_rungs_of_their_own_refuse_an_interval(name: str) -> None:
    assert faults(name, Course(number=0, seed=0, full=50, every=5))[0][0] == "every"


@pytest.mark.parametrize(("better", "stops"), [(5, False), (6, True)])
def test_the_median_of_ten_others_stops_who_is_behind_more_than_half(better: int, stops: bool) -> None:
    assert (verdict("median", [0.1] * 6, 10, better) is not None) is stops


def test_the_median_of_too_few_stops_nobody() -> None:
    assert verdict("median", [0.1] * 6, 4, 4) is None
    assert verdict("median", [0.1] * 6, 4, 4, startup=4) is not None


def test_the_median_looks_after_its_warmup_and_as_often_as_it_is_told() -> None:
    assert looks("median", warmup=5)[:3] == [6, 7, 8]
    assert looks("median", warmup=5, every=4)[:3] == [8, 12, 16]
    assert looks("median", warmup=0, every=4)[:3] == [4, 8, 12]


def test_patience_ends_when_the_best_is_as_many_epochs_old() -> None:
    assert verdict("patient", [0.1, 0.5, 0.4, 0.4], patience=3) is None
    said = verdict("patient", [0.1, 0.5, 0.4, 0.4, 0.5], patience=3)
    assert said == "By epoch 5 its best, 0.5, has not become better for 3 epochs."
    assert verdict("patient", [0.1, 0.5, 0.4, 0.4, 0.51], patience=3) is None
    assert verdict("patient", [0.1, 0.5, 0.4, 0.4, 0.51], patience=3, gain=0.02) is not None


def test_thresholds_are_of_the_metric_as_it_is_reported() -> None:
    assert verdict("threshold", [0.5, 0.1], lower=0.2) == "At epoch 2 its value, 0.1, is below 0.2."
    assert verdict("threshold", [0.1, 0.5], lower=0.2) is None
    assert verdict("threshold", [0.5], upper=0.4) == "At epoch 1 its value, 0.5, is above 0.4."
    rule = find("threshold")
    assert rule is not None
    check = Check(epoch=1, values=[-9.0], standing=Standing(), goal=Goal.MINIMIZE)
    assert rule.verdict(check, rule.Settings(upper=5.0)) == "At epoch 1 its value, 9, is above 5."


def test_a_threshold_needs_a_bound_and_bounds_in_order() -> None:
    where = Course(number=0, seed=0)
    assert faults("threshold", where)[0][0] == "settings"
    assert faults("threshold", where, lower=1.0, upper=0.5)[0][0] == "settings.upper"
    assert faults("threshold", where, lower=0.5, upper=0.5) == []
