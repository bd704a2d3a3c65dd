"""What every rule of early stopping in the registry promises."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from service.domain.trial import Goal
from service.pruning import find, known
from service.pruning.base import Check, Course, Rule, Standing, looks

RULES = [pytest.param(rule, id=rule.name) for rule in known()]
every_rule = pytest.mark.parametrize("rule", RULES)
REQUIRED: dict[str, dict[str, Any]] = {"threshold": {"lower": 0.2}}
finite = st.floats(allow_nan=False, allow_infinity=False)
ALONE = Standing()
curves = st.lists(finite, min_size=1, max_size=60)


def configured(rule: Rule[Any]) -> Any:
    return rule.Settings(**REQUIRED.get(rule.name, {}))


def course(number: int = 0, every: int | None = None) -> Course:
    return Course(number=number, seed=7, full=60, every=every)


def verdicts(
    rule: Rule[Any], values: Sequence[float], standing: Standing = ALONE, goal: Goal = Goal.MAXIMIZE
) -> list[str | None]:
    """What a rule says at each of its looks at a run of which the other runs stand so."""
    chosen = configured(rule)
    return [
        rule.verdict(
            Check(epoch=epoch, values=[goal.better(value) for value in values[:epoch]], standing=standing, goal=goal),
            chosen,
        )
        for epoch, _ in looks(rule, course(), chosen, 0, range(1, len(values) + 1))
    ]


@every_rule
def test_it_is_found_by_its_name_and_describes_itself(rule: Rule[Any]) -> None:
    assert find(rule.name) is rule
    assert rule.description.endswith(".")


def test_what_nobody_registered_is_not_found() -> None:
    assert find("no-such-rule") is None


@every_rule
def test_its_settings_have_a_schema_take_nothing_unknown_and_do_not_change(rule: Rule[Any]) -> None:
    schema = rule.Settings.model_json_schema()
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    chosen = configured(rule)
    assert rule.Settings.model_validate(chosen.model_dump(mode="json")) == chosen
    with pytest.raises(ValidationError):
        rule.Settings(no_such_setting=1)
    for name in rule.Settings.model_fields:
        with pytest.raises(ValidationError):
            rule.Settings(**{name: "7"})
        with pytest.raises(ValidationError):
            rule.Settings(**{name: float("nan")})
    with pytest.raises(ValidationError):
        chosen.no_such_setting = 1


@every_rule
def test_its_settings_fit_a_study_that_says_how_long_a_run_is(rule: Rule[Any]) -> None:
    assert rule.faults(course(), configured(rule)) == []


@every_rule
def test_it_looks_at_ever_later_epochs_and_the_next_is_where_it_said(rule: Rule[Any]) -> None:
    @settings(deadline=None, max_examples=30)
    @given(st.integers(0, 100))
    def check(number: int) -> None:
        chosen, where = configured(rule), course(number)
        found = [epoch for epoch, _ in looks(rule, where, chosen, 0, range(1, 71))]
        said = [epoch for epoch in range(71) if rule.next_check(where, chosen, epoch - 1) == epoch]
        assert found == [epoch for epoch in said if epoch > 0]
        assert found == sorted(set(found))

    check()


@every_rule
def test_a_report_is_looked_at_once_however_far_it_has_come(rule: Rule[Any]) -> None:
    where, chosen = Course(number=0, seed=7, full=None if rule.name != "hyperband" else 60), configured(rule)
    for reported in ([10], [10, 2**53], [3, 50, 51]):
        found = looks(rule, where, chosen, 0, reported)
        assert len(found) <= len(reported)
        assert all(check <= report for check, report in found)


@every_rule
def test_a_verdict_is_a_sentence_or_none_whatever_the_values(rule: Rule[Any]) -> None:
    @settings(deadline=None)
    @given(curves, st.integers(0, 50), st.integers(0, 50), st.sampled_from(Goal))
    def check(values: list[float], one: int, other: int, goal: Goal) -> None:
        standing = Standing(max(one, other), min(one, other))
        for said in verdicts(rule, values, standing, goal):
            assert said is None or (said[0].isupper() and said.endswith("."))
        assert verdicts(rule, values, standing, goal) == verdicts(rule, values, standing, goal)

    check()


@every_rule
def test_the_best_run_of_all_is_never_stopped_by_others(rule: Rule[Any]) -> None:
    if not rule.compares:
        return
    rising = [epoch / 60 for epoch in range(1, 61)]
    for others in (0, 1, 5, 1_000):
        assert set(verdicts(rule, rising, Standing(others, 0))) <= {None}


@every_rule
def test_the_worst_of_many_is_stopped_by_every_rule_that_compares(rule: Rule[Any]) -> None:
    if not rule.compares:
        return
    said = next(filter(None, verdicts(rule, [0.1] * 60, Standing(100, 100))))
    assert "100 of 100" in said


@every_rule
def test_who_is_better_is_stopped_by_nothing_that_leaves_a_worse_one_alone(rule: Rule[Any]) -> None:
    if not rule.compares:
        return

    @settings(deadline=None)
    @given(curves, st.integers(1, 100), st.data())
    def check(values: list[float], others: int, data: st.DataObject) -> None:
        worse = data.draw(st.integers(0, others))
        better = data.draw(st.integers(0, worse))
        for said_of_better, said_of_worse in zip(
            verdicts(rule, values, Standing(others, better)),
            verdicts(rule, values, Standing(others, worse)),
            strict=True,
        ):
            assert said_of_better is None or said_of_worse is not None

    check()


@every_rule
def test_it_says_the_same_of_maximized_values_and_of_their_minimized_opposites(rule: Rule[Any]) -> None:
    if rule.name == "threshold":
        return  # its bounds are of the metric as it is reported, whatever the goal

    @settings(deadline=None, max_examples=30)
    @given(curves, st.integers(0, 20))
    def check(values: list[float], better: int) -> None:
        opposite = [-value for value in values]
        upward = verdicts(rule, values, Standing(20, better))
        downward = verdicts(rule, opposite, Standing(20, better), Goal.MINIMIZE)
        assert [said is None for said in upward] == [said is None for said in downward]

    check()
