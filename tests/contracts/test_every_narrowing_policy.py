"""What every narrowing policy in the registry promises."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from service.domain.rounds import RangeEvidence, Verdict
from service.domain.space import Categorical, FloatRange, IntRange, Limit, Numeric, Parameter, Space, identity
from service.domain.status import TrialStatus
from service.domain.trial import Goal, Observation
from service.narrowing import find, known
from service.narrowing.base import Policy
from tests.contracts.spaces import seen, spaces

POLICIES = [pytest.param(policy, id=policy.name) for policy in known()]
every_policy = pytest.mark.parametrize("policy", POLICIES)
few = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])

ENDINGS = [TrialStatus.COMPLETED, TrialStatus.COMPLETED, TrialStatus.PRUNED, TrialStatus.FAILED]


@st.composite
def searches(draw: st.DrawFn) -> tuple[Space, list[Observation]]:
    """A space and trials in it, with values of their own or all the same."""
    space = draw(spaces())
    units = st.fixed_dictionaries({name: st.floats(0, 1) for name in space.parameters})
    values = draw(st.sampled_from([st.just(0.5), st.floats(-1e300, 1e300), st.floats(0, 1)]))
    history = []
    for number, unit in enumerate(draw(st.lists(units, max_size=30))):
        status = draw(st.sampled_from(ENDINGS))
        value = None if status is TrialStatus.FAILED else draw(values)
        history.append(seen(number, space.decode(unit), value, status))
    return space, history


def judge(policy: Policy[Any], space: Space, history: list[Observation]) -> Mapping[str, RangeEvidence]:
    return policy.judge(space, history, Goal.MAXIMIZE, policy.Settings())


def assert_inside(inner: Parameter, outer: Parameter) -> None:
    if isinstance(inner, Categorical):
        assert isinstance(outer, Categorical)
        assert {identity(choice) for choice in inner.choices} < {identity(choice) for choice in outer.choices}
    else:
        assert not isinstance(outer, Categorical)
        assert outer.low <= inner.low <= inner.high <= outer.high
        assert (inner.low, inner.high) != (outer.low, outer.high)


def assert_within_reach(wider: Numeric, current: Numeric) -> None:
    """Up to the limit, or where there is none, two decades on a log scale and one width on a linear one."""
    limit = current.limit or Limit()
    reach = math.log(100) if current.scale == "log" else current.high - current.low
    lowest = -math.inf if limit.low is not None else current.position(current.low) - reach
    highest = math.inf if limit.high is not None else current.position(current.high) + reach
    assert wider.low >= (limit.low if limit.low is not None else -math.inf)
    assert wider.high <= (limit.high if limit.high is not None else math.inf)
    assert current.position(wider.low) >= lowest - 1e-9 * abs(reach)
    assert current.position(wider.high) <= highest + 1e-9 * abs(reach)


def assert_sound(current: Parameter, evidence: RangeEvidence, history: list[Observation]) -> None:
    proposed = evidence.proposed
    assert evidence.reason.strip().endswith(".")
    assert evidence.confidence is None or 0 <= evidence.confidence <= 1
    assert set(evidence.trials) <= {observation.number for observation in history}
    assert type(proposed) is type(current)
    assert proposed.when == current.when
    if isinstance(proposed, FloatRange) and isinstance(current, FloatRange):
        assert proposed.low < proposed.high or current.low == current.high
    if evidence.verdict is Verdict.KEEP:
        assert proposed == current
    elif evidence.verdict is Verdict.NARROW:
        assert_inside(proposed, current)
    else:
        assert not isinstance(proposed, Categorical)
        assert not isinstance(current, Categorical)
        assert_within_reach(proposed, current)


@every_policy
def test_it_is_found_by_its_name_and_describes_itself(policy: Policy[Any]) -> None:
    assert find(policy.name) is policy
    assert policy.description.endswith(".")


def test_what_nobody_registered_is_not_found() -> None:
    assert find("no-such-policy") is None


@every_policy
def test_its_settings_have_a_schema_and_accept_their_defaults(policy: Policy[Any]) -> None:
    schema = policy.Settings.model_json_schema()
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert policy.Settings.model_validate(policy.Settings().model_dump(mode="json")) == policy.Settings()


@every_policy
def test_its_settings_take_nothing_unknown_convert_nothing_and_do_not_change(policy: Policy[Any]) -> None:
    with pytest.raises(ValidationError):
        policy.Settings(no_such_setting=1)
    with pytest.raises(ValidationError):
        policy.Settings().no_such_setting = 1
    for name in policy.Settings.model_fields:
        with pytest.raises(ValidationError):
            policy.Settings(**{name: "7"})


@every_policy
def test_every_range_has_a_verdict_that_can_be_put_in_force(policy: Policy[Any]) -> None:
    @few
    @given(searches())
    def check(search: tuple[Space, list[Observation]]) -> None:
        space, history = search
        verdicts = judge(policy, space, history)
        assert list(verdicts) == list(space.parameters)
        for name, evidence in verdicts.items():
            assert_sound(space.parameters[name], evidence, history)
        space.with_ranges({name: evidence.proposed for name, evidence in verdicts.items()})

    check()


@every_policy
@pytest.mark.parametrize("goal", Goal)
def test_without_evidence_it_keeps_every_range(policy: Policy[Any], goal: Goal) -> None:
    space = Space({"lr": FloatRange(low=1e-6, high=1e-2, scale="log"), "act": Categorical(choices=["relu", "tanh"])})
    failed = [seen(number, {"lr": 1e-3, "act": "relu"}, None, TrialStatus.FAILED) for number in range(50)]
    for history in ([], failed):
        verdicts = policy.judge(space, history, goal, policy.Settings())
        assert {evidence.verdict for evidence in verdicts.values()} == {Verdict.KEEP}


@every_policy
def test_it_says_the_same_of_maximized_values_and_of_their_minimized_opposites(policy: Policy[Any]) -> None:
    @settings(few, max_examples=20)
    @given(searches())
    def check(search: tuple[Space, list[Observation]]) -> None:
        space, history = search
        opposite = [
            Observation(one.number, one.params, one.status, None if one.value is None else -one.value)
            for one in history
        ]
        upward = policy.judge(space, history, Goal.MAXIMIZE, policy.Settings())
        downward = policy.judge(space, opposite, Goal.MINIMIZE, policy.Settings())
        assert {name: evidence.proposed for name, evidence in upward.items()} == {
            name: evidence.proposed for name, evidence in downward.items()
        }

    check()


def twenty(trials: int) -> tuple[Space, list[Observation]]:
    """Twenty ranges of two kinds, and trials along a line through them."""
    space = Space(
        {
            f"p{index}": IntRange(low=1, high=33, step=4) if index % 2 else FloatRange(low=0, high=1)
            for index in range(20)
        }
    )
    places = [(number * 0.618) % 1 for number in range(trials)]
    units = [{name: (place + 0.05 * index) % 1 for index, name in enumerate(space.parameters)} for place in places]
    return space, [seen(number, space.decode(unit), unit["p0"]) for number, unit in enumerate(units)]


@every_policy
def test_the_same_history_gets_the_same_verdicts(policy: Policy[Any]) -> None:
    @settings(few, max_examples=20)
    @given(searches())
    def check(search: tuple[Space, list[Observation]]) -> None:
        space, history = search
        assert judge(policy, space, history) == judge(policy, space, history)

    check()


@every_policy
def test_verdicts_can_be_told_in_json(policy: Policy[Any]) -> None:
    @settings(few, max_examples=20)
    @given(searches())
    def check(search: tuple[Space, list[Observation]]) -> None:
        space, history = search
        for evidence in judge(policy, space, history).values():
            told = [asdict(evidence.proposed), evidence.confidence, evidence.trials, evidence.reason]
            assert json.loads(json.dumps(told, allow_nan=False))[1] == evidence.confidence

    check()


@every_policy
def test_a_single_trial_keeps_every_range(policy: Policy[Any]) -> None:
    space = Space({"lr": FloatRange(low=1e-6, high=1e-2, scale="log"), "n": IntRange(low=1, high=9)})
    verdicts = judge(policy, space, [seen(0, {"lr": 1e-3, "n": 3}, 0.5)])
    assert {evidence.verdict for evidence in verdicts.values()} == {Verdict.KEEP}


@every_policy
def test_twenty_parameters_each_get_a_sound_verdict(policy: Policy[Any]) -> None:
    space, history = twenty(40)
    verdicts = judge(policy, space, history)
    for name, evidence in verdicts.items():
        assert_sound(space.parameters[name], evidence, history)
        if isinstance(evidence.proposed, IntRange):
            assert evidence.proposed.step == 4
            assert evidence.proposed.low % 4 == 1


@every_policy
@pytest.mark.parametrize("rising", [1, -1])
@pytest.mark.parametrize("scale", ["linear", "log"])
def test_a_range_at_its_limit_is_not_widened(policy: Policy[Any], rising: int, scale: str) -> None:
    limited = FloatRange(low=0.01, high=1, scale=scale, limit=Limit(low=0.01, high=1))
    space = Space({"p": limited, "n": IntRange(low=1, high=64, scale=scale, limit=Limit(low=1, high=64))})
    units = [{"p": (number * 0.618) % 1, "n": (number * 0.755) % 1} for number in range(60)]
    history = [seen(number, space.decode(unit), rising * (unit["p"] + unit["n"])) for number, unit in enumerate(units)]
    assert Verdict.WIDEN not in {evidence.verdict for evidence in judge(policy, space, history).values()}


@every_policy
@pytest.mark.parametrize("rising", [1, -1])
def test_widening_never_goes_past_a_limit(policy: Policy[Any], rising: int) -> None:
    space = Space({"p": FloatRange(low=0.01, high=1, scale="log", limit=Limit(low=0.008, high=1.1))})
    units = [{"p": (number * 0.618) % 1} for number in range(60)]
    history = [seen(number, space.decode(unit), rising * unit["p"]) for number, unit in enumerate(units)]
    evidence = judge(policy, space, history)["p"]
    assert not isinstance(evidence.proposed, Categorical)
    assert 0.008 <= evidence.proposed.low < evidence.proposed.high <= 1.1


@every_policy
def test_at_least_one_choice_is_left_and_conditions_stay(policy: Policy[Any]) -> None:
    momentum = FloatRange(low=0, high=1, when={"opt": ["momentum"]})
    space = Space({"opt": Categorical(choices=["sgd", "momentum", "adam"]), "m": momentum})
    units = [{"opt": (number * 0.618) % 1, "m": (number * 0.755) % 1} for number in range(60)]
    history = [seen(number, params, len(params)) for number, params in enumerate(map(space.decode, units))]
    verdicts = judge(policy, space, history)
    assert isinstance(verdicts["opt"].proposed, Categorical)
    assert "momentum" in verdicts["opt"].proposed.choices
    assert verdicts["m"].proposed.when == {"opt": ["momentum"]}
