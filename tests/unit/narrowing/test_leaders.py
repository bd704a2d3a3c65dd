"""The leaders rule: the box of the best few, plus a margin."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.rounds import RangeEvidence, Verdict
from service.domain.space import Categorical, FloatRange, IntRange, Parameter, Scalar, Space
from service.domain.status import TrialStatus
from service.domain.trial import Goal, Observation
from service.narrowing.leaders import POLICY, LeadersSettings

LR = FloatRange(low=1e-6, high=1e-2, scale="log")
SCALES = st.sampled_from(["linear", "log"])


def judge(
    parameter: Parameter, values: Sequence[Scalar], *, goal: Goal = Goal.MAXIMIZE, top: int = 2, margin: float = 0.1
) -> RangeEvidence:
    """The verdict on one range, whose trials are given from the best to the worst."""
    history = [
        Observation(number, {"p": value}, TrialStatus.COMPLETED, goal.better(-float(number)))
        for number, value in enumerate(values)
    ]
    return POLICY.judge(Space({"p": parameter}), history, goal, LeadersSettings(top=top, margin=margin))["p"]


def ends(evidence: RangeEvidence) -> tuple[float, float]:
    assert not isinstance(evidence.proposed, Categorical)
    return evidence.proposed.low, evidence.proposed.high


def test_the_box_of_the_leaders_gets_its_margin_in_decades_on_a_log_scale() -> None:
    evidence = judge(LR, [1e-4, 1e-3, 1e-6], margin=0.5)
    assert evidence.verdict is Verdict.NARROW
    assert ends(evidence) == pytest.approx((10**-4.5, 10**-2.5))
    assert evidence.trials == (0, 1)
    assert evidence.confidence is None


def test_the_reason_has_the_numbers_in_it() -> None:
    reason = judge(LR, [1e-4, 1e-3, 1e-6], margin=0.5).reason
    assert reason == (
        "The best 2 trials lay between 0.0001 and 0.001; with a margin of 50% that is 3.162e-05 to 0.003162, "
        "50.0% of the range on its log scale."
    )


def test_on_a_linear_scale_the_margin_is_linear() -> None:
    assert ends(judge(FloatRange(low=0, high=10), [4.0, 6.0])) == pytest.approx((3.8, 6.2))


def test_minimizing_turns_the_ranking_round() -> None:
    box = FloatRange(low=0, high=10)
    assert ends(judge(box, [4.0, 6.0, 9.0], goal=Goal.MINIMIZE)) == pytest.approx((3.8, 6.2))


def test_leaders_at_one_value_get_a_margin_of_the_range_in_force() -> None:
    assert ends(judge(FloatRange(low=0, high=10), [4.0, 4.0])) == pytest.approx((3.0, 5.0))


def test_the_margin_ends_where_the_range_ends() -> None:
    assert ends(judge(LR, [1e-2, 1e-3], margin=1)) == (pytest.approx(1e-4), 1e-2)


def test_without_a_margin_one_value_leaves_no_range_and_keeps_it() -> None:
    evidence = judge(LR, [1e-3, 1e-3], margin=0)
    assert evidence.verdict is Verdict.KEEP
    assert "no range" in evidence.reason


def test_leaders_at_both_ends_keep_the_range() -> None:
    evidence = judge(LR, [1e-6, 1e-2])
    assert evidence.verdict is Verdict.KEEP
    assert "hardly anything" in evidence.reason


def test_too_few_trials_keep_the_range() -> None:
    evidence = judge(LR, [1e-3, 2e-3], top=3)
    assert evidence.verdict is Verdict.KEEP
    assert evidence.reason == "Too few: 2 completed trials lie in the box in force, and the rule looks at the best 3."


def test_trials_outside_the_box_and_unfinished_ones_do_not_lead() -> None:
    space = Space({"p": FloatRange(low=0, high=10)})
    history = [
        Observation(0, {"p": 11.0}, TrialStatus.COMPLETED, 9.0),
        Observation(1, {"p": 1.0}, TrialStatus.PRUNED, 8.0),
        Observation(2, {"p": 1.0}, TrialStatus.FAILED, None),
        Observation(3, {"p": 5.0}, TrialStatus.COMPLETED, 7.0),
    ]
    assert POLICY.judge(space, history, Goal.MAXIMIZE, LeadersSettings(top=1))["p"].trials == (3,)


def test_ties_go_to_the_lower_number() -> None:
    space = Space({"p": FloatRange(low=0, high=10)})
    history = [Observation(number, {"p": 5.0}, TrialStatus.COMPLETED, 0.5) for number in (3, 1, 2)]
    assert POLICY.judge(space, history, Goal.MAXIMIZE, LeadersSettings(top=2))["p"].trials == (1, 2)


def test_integers_are_rounded_outwards() -> None:
    assert ends(judge(IntRange(low=0, high=100), [41, 47])) == (40, 48)


def test_stepped_values_stay_on_their_steps() -> None:
    assert ends(judge(FloatRange(low=0, high=1, step=0.1), [0.3, 0.6], margin=0)) == (0.3, 0.6)


def test_a_range_of_a_single_value_is_kept() -> None:
    assert judge(IntRange(low=3, high=3), [3, 3]).verdict is Verdict.KEEP


def test_choices_that_no_leader_used_are_dropped() -> None:
    evidence = judge(Categorical(choices=["relu", "tanh", True, 1]), [True, "tanh", 1])
    assert evidence.proposed == Categorical(choices=["tanh", True])
    assert evidence.reason == "The best 2 trials used only 'tanh', True of the 4 choices."


def test_choices_that_all_have_a_leader_are_kept() -> None:
    assert judge(Categorical(choices=["relu", "tanh"]), ["relu", "tanh"]).verdict is Verdict.KEEP


def conditional(optimizers: Sequence[str]) -> RangeEvidence:
    momentum = FloatRange(low=0, high=1, when={"opt": ["momentum"]})
    space = Space({"opt": Categorical(choices=["sgd", "momentum"]), "m": momentum})
    history = [
        Observation(
            number,
            {"opt": opt, **({"m": 0.5} if opt == "momentum" else {})},
            TrialStatus.COMPLETED,
            -number,
        )
        for number, opt in enumerate(optimizers)
    ]
    return POLICY.judge(space, history, Goal.MAXIMIZE, LeadersSettings(top=3))["m"]


def test_a_conditional_range_rests_on_the_leaders_that_used_it() -> None:
    evidence = conditional(["sgd", "momentum", "sgd", "momentum"])
    assert evidence.trials == (1,)
    assert ends(evidence) == pytest.approx((0.4, 0.6))


def test_a_conditional_range_that_no_leader_used_is_kept() -> None:
    evidence = conditional(["sgd", "sgd", "sgd", "momentum"])
    assert evidence.verdict is Verdict.KEEP
    assert "did not use this parameter" in evidence.reason


@given(st.lists(st.integers(1, 1000), min_size=2, max_size=5), SCALES, st.floats(0, 2))
def test_the_leaders_are_always_inside_what_is_proposed(values: list[int], scale: str, margin: float) -> None:
    for parameter in (IntRange(low=1, high=1000, scale=scale), FloatRange(low=1, high=1000, scale=scale)):
        low, high = ends(judge(parameter, values, top=len(values), margin=margin))
        assert low <= min(values) <= max(values) <= high
