"""The rule by evidence: what it says of searches whose answer is known."""

import math
from collections.abc import Callable, Mapping

import numpy as np
import pytest

from service.domain.rounds import RangeEvidence, Verdict
from service.domain.space import Categorical, FloatRange, IntRange, Limit, Params, Space
from service.domain.status import TrialStatus
from service.domain.trial import Goal, Observation
from service.narrowing.evidence import POLICY, EvidenceSettings

LR = FloatRange(low=1e-6, high=1e-2, scale="log")
DECAY = FloatRange(low=1e-8, high=1e-4, scale="log")
UNIT = FloatRange(low=0, high=1)

Accuracy = Callable[[Mapping[str, float]], float | None]


def trials(space: Space, accuracy: Accuracy, count: int = 60, noise: float = 0.02, seed: int = 0) -> list[Observation]:
    """Random trials whose value is a function of their places in the box, with noise; None fails."""
    rng = np.random.default_rng(seed)
    seen = []
    for number in range(count):
        params = space.decode(dict(zip(space.parameters, rng.random(len(space.parameters)).tolist(), strict=True)))
        value = accuracy({name: space.parameters[name].to_unit(params[name]) for name in params})
        luck = noise * rng.standard_normal()
        status = TrialStatus.FAILED if value is None else TrialStatus.COMPLETED
        seen.append(Observation(number, params, status, None if value is None else value + luck))
    return seen


def judge(space: Space, history: list[Observation], **settings: float) -> Mapping[str, RangeEvidence]:
    return POLICY.judge(space, history, Goal.MAXIMIZE, EvidenceSettings.model_validate(settings))


def ends(evidence: RangeEvidence) -> tuple[float, float]:
    assert not isinstance(evidence.proposed, Categorical)
    return evidence.proposed.low, evidence.proposed.high


def hill(top: float, width: float = 0.3) -> Accuracy:
    return lambda unit: 0.1 + 0.7 * math.exp(-0.5 * ((unit["p"] - top) / width) ** 2)


def test_it_narrows_to_where_the_best_lies() -> None:
    space = Space({"p": UNIT, "idle": UNIT})
    evidence = judge(space, trials(space, hill(0.4)))["p"]
    low, high = ends(evidence)
    assert evidence.verdict is Verdict.NARROW
    assert low < 0.4 < high
    assert high - low < 0.5
    assert evidence.confidence is not None
    assert evidence.confidence > 0.95


def test_what_makes_no_difference_is_kept_because_the_data_cannot_tell() -> None:
    space = Space({"p": UNIT, "idle": UNIT})
    evidence = judge(space, trials(space, hill(0.4)))["idle"]
    assert evidence.verdict is Verdict.KEEP
    assert evidence.reason.endswith("the data cannot tell.")
    assert evidence.confidence is not None
    assert evidence.confidence > 0.05


def test_noise_alone_changes_nothing() -> None:
    space = Space(dict.fromkeys("abc", UNIT))
    verdicts = judge(space, trials(space, lambda _: 0.5))
    assert {evidence.verdict for evidence in verdicts.values()} == {Verdict.KEEP}


def test_an_optimum_beyond_the_upper_end_is_met_by_widening_upwards_and_the_lower_end_follows() -> None:
    space = Space({"p": LR, "weight_decay": DECAY})
    verdicts = judge(space, trials(space, hill(1.3), count=100))
    low, high = ends(verdicts["p"])
    assert verdicts["p"].verdict is Verdict.WIDEN
    assert low > LR.low
    assert high == 1.0
    assert "crowd the upper end" in verdicts["p"].reason
    assert "widen upwards to 1 and begin at" in verdicts["p"].reason
    assert verdicts["weight_decay"].verdict is Verdict.KEEP


def test_an_optimum_below_the_lower_end_is_met_by_widening_downwards() -> None:
    space = Space({"p": FloatRange(low=10, high=20)})
    evidence = judge(space, trials(space, hill(-0.3)))["p"]
    assert evidence.verdict is Verdict.WIDEN
    assert ends(evidence)[0] == 5


def test_widening_ends_at_the_limit() -> None:
    space = Space({"p": FloatRange(low=1e-6, high=1e-2, scale="log", limit=Limit(high=0.05))})
    assert ends(judge(space, trials(space, hill(1.3)))["p"])[1] == 0.05


def test_a_range_at_its_limit_is_narrowed_towards_it_instead() -> None:
    space = Space({"p": FloatRange(low=1e-6, high=1e-2, scale="log", limit=Limit(high=1e-2))})
    evidence = judge(space, trials(space, hill(1.3)))["p"]
    assert evidence.verdict is Verdict.NARROW
    assert ends(evidence)[1] == 1e-2


def test_a_parameter_that_matters_only_together_with_another_is_told() -> None:
    space = Space({"gate": UNIT, "p": UNIT, "idle": UNIT})
    accuracy: Accuracy = lambda unit: hill(0.5, 0.2)(unit) if unit["gate"] > 0.5 else 0.4  # noqa: E731
    verdicts = judge(space, trials(space, accuracy, count=120))
    low, high = ends(verdicts["p"])
    assert verdicts["p"].verdict is Verdict.NARROW
    assert low < 0.5 < high
    assert verdicts["gate"].verdict is Verdict.NARROW
    assert verdicts["idle"].verdict is Verdict.KEEP


def test_both_parameters_of_a_ridge_keep_the_best() -> None:
    space = Space({"a": UNIT, "b": UNIT})
    accuracy: Accuracy = lambda unit: 0.8 - 4 * (unit["a"] + unit["b"] - 1) ** 2 - 0.2 * (unit["a"] - 0.6) ** 2  # noqa: E731
    verdicts = judge(space, trials(space, accuracy, count=100))
    assert ends(verdicts["a"])[0] < 0.6 < ends(verdicts["a"])[1]
    assert ends(verdicts["b"])[0] < 0.4 < ends(verdicts["b"])[1]


def test_a_cliff_of_failures_is_evidence() -> None:
    space = Space({"p": UNIT, "idle": UNIT})
    evidence = judge(space, trials(space, lambda unit: 0.5 if unit["p"] < 0.4 else None))["p"]
    assert evidence.verdict is Verdict.NARROW
    assert 0.4 <= ends(evidence)[1] < 0.6
    assert "failed" in evidence.reason


def test_failures_here_and_there_hide_nothing() -> None:
    space = Space({"p": UNIT, "idle": UNIT})
    history = trials(space, hill(0.4))
    lost = [Observation(one.number, one.params, TrialStatus.FAILED) if one.number % 6 == 0 else one for one in history]
    verdicts = judge(space, lost)
    low, high = ends(verdicts["p"])
    assert verdicts["p"].verdict is Verdict.NARROW
    assert low < 0.4 < high
    assert verdicts["idle"].verdict is Verdict.KEEP


def test_rising_values_before_a_cliff_do_not_widen_over_it() -> None:
    space = Space({"p": UNIT})
    history = trials(space, lambda unit: 0.2 + 0.5 * unit["p"] if unit["p"] < 0.9 else None, count=80)
    assert judge(space, history)["p"].verdict is Verdict.NARROW


def test_trials_beyond_the_box_keep_it_from_widening_over_known_ground() -> None:
    wide = Space({"p": UNIT})
    box = Space({"p": FloatRange(low=0.2, high=0.7)})
    assert judge(box, trials(wide, hill(0.65)))["p"].verdict is not Verdict.WIDEN


def test_too_few_trials_keep_the_range_without_confidence() -> None:
    space = Space({"p": UNIT})
    evidence = judge(space, trials(space, hill(0.4), count=6))["p"]
    assert evidence.verdict is Verdict.KEEP
    assert evidence.reason.startswith("Too few: 6 finished trials")
    assert evidence.confidence == 0
    assert evidence.trials == tuple(range(6))


def test_trials_that_all_ended_alike_keep_the_range() -> None:
    space = Space({"p": UNIT})
    alike = [Observation(one.number, one.params, TrialStatus.COMPLETED, 0.5) for one in trials(space, hill(0.4))]
    assert judge(space, alike)["p"].verdict is Verdict.KEEP


def test_a_range_of_a_single_value_is_kept() -> None:
    space = Space({"p": UNIT, "n": IntRange(low=3, high=3)})
    assert "no width" in judge(space, trials(space, hill(0.4)))["n"].reason


def test_choices_that_are_worse_are_dropped_and_the_order_stays() -> None:
    space = Space({"c": Categorical(choices=["a", "b", "c", "d"]), "idle": Categorical(choices=[True, 1])})
    worth = {0: 0.8, 1: 0.2, 2: 0.8, 3: 0.3}
    verdicts = judge(space, trials(space, lambda unit: worth[int(unit["c"] * 4)]))
    assert verdicts["c"].proposed == Categorical(choices=["a", "c"])
    assert verdicts["idle"].verdict is Verdict.KEEP


def test_integers_keep_their_step() -> None:
    space = Space({"p": IntRange(low=4, high=124, step=4)})
    evidence = judge(space, trials(space, hill(0.4)))["p"]
    assert evidence.verdict is Verdict.NARROW
    assert isinstance(evidence.proposed, IntRange)
    assert evidence.proposed.step == 4
    assert evidence.proposed.low % 4 == 0


def conditional(count: int) -> Mapping[str, RangeEvidence]:
    """Two optimizers of equal worth, of which one has a parameter that matters."""
    p = FloatRange(low=0, high=1, when={"opt": ["momentum"]})
    space = Space({"opt": Categorical(choices=["sgd", "momentum"]), "p": p})
    return judge(space, trials(space, lambda unit: hill(0.3)(unit) if "p" in unit else 0.78, count=count))


def test_a_conditional_range_is_judged_by_the_trials_that_used_it() -> None:
    evidence = conditional(100)["p"]
    low, high = ends(evidence)
    assert evidence.verdict is Verdict.NARROW
    assert low < 0.3 < high


def test_a_conditional_range_that_few_trials_used_is_kept() -> None:
    assert conditional(30)["p"].reason.startswith("Too few")


def with_samples(params: Params, number: int, value: float, samples: int) -> Observation:
    return Observation(number, params, TrialStatus.COMPLETED, value, samples)


def test_the_leaders_are_those_whose_interval_overlaps_the_best_ones() -> None:
    space = Space({"p": UNIT})
    values = [0.83, 0.70, 0.60, *np.linspace(0.1, 0.5, 20).tolist()]
    history = [with_samples({"p": 1 - 0.04 * number}, number, value, 100) for number, value in enumerate(values)]
    evidence = judge(space, history)["p"]
    assert evidence.trials == (0, 1)
    assert "The 2 leaders, which cannot be told apart from the best (0.83)" in evidence.reason


def test_a_demand_for_more_confidence_leaves_more() -> None:
    space = Space({"p": UNIT})
    history = trials(space, hill(0.4), noise=0.1)
    careful, bold = judge(space, history, confidence=0.99)["p"], judge(space, history, confidence=0.6)["p"]
    assert ends(careful)[0] <= ends(bold)[0] < ends(bold)[1] <= ends(careful)[1]


def test_of_very_many_parameters_those_that_matter_are_found() -> None:
    space = Space({"p": UNIT, **{f"idle{index}": UNIT for index in range(39)}})
    verdicts = judge(space, trials(space, hill(0.4), count=100))
    assert verdicts["p"].verdict is Verdict.NARROW
    assert sum(evidence.verdict is not Verdict.KEEP for evidence in verdicts.values()) <= 3


@pytest.mark.parametrize("size", [1e-290, 1e290])
def test_values_of_any_size_are_judged_alike(size: float) -> None:
    space = Space({"p": UNIT})
    history = trials(space, hill(0.4))
    scaled = [Observation(one.number, one.params, one.status, (one.value or 0) * size) for one in history]
    assert ends(judge(space, scaled)["p"]) == pytest.approx(ends(judge(space, history)["p"]))


@pytest.mark.parametrize("absurd", [-1e13, -1e300])
def test_one_absurdly_bad_value_hides_nothing(absurd: float) -> None:
    space = Space({"p": UNIT, "idle": UNIT})
    history = trials(space, hill(0.4))
    worst = min(history, key=lambda one: one.value or 0.0)
    history[worst.number] = Observation(worst.number, worst.params, worst.status, absurd)
    verdicts = judge(space, history)
    assert {name: said.verdict for name, said in verdicts.items()} == {"p": Verdict.NARROW, "idle": Verdict.KEEP}
