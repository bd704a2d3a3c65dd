"""What a study may open by itself of what a policy proposes."""

import pytest

from service.domain.space import Categorical, FloatRange, IntRange, Limit, Parameter, Space
from service.operations.objective_check import within_objective
from service.operations.open_round import within_limits

LR = FloatRange(low=1e-4, high=1e-2, scale="log")
LIMITED = FloatRange(low=1e-4, high=1e-2, scale="log", limit=Limit(high=1.0))


@pytest.mark.parametrize(
    ("current", "proposed", "opened"),
    [
        (LR, LR.within(1e-3, 1e-2), LR.within(1e-3, 1e-2)),
        (LR, LR.within(1e-3, 1e-1), LR.within(1e-3, 1e-2)),
        (LR, LR.within(1e-5, 1e-3), LR.within(1e-4, 1e-3)),
        (LR, LR.within(1e-4, 1e-1), LR),
        (LIMITED, LIMITED.within(1e-3, 1e-1), LIMITED.within(1e-3, 1e-1)),
        (LIMITED, LIMITED.within(1e-5, 1e-1), LIMITED.within(1e-4, 1e-1)),
        (Categorical(choices=["a", "b"]), Categorical(choices=["a"]), Categorical(choices=["a"])),
    ],
)
def test_no_end_moves_out_that_the_user_has_not_limited(
    current: Parameter, proposed: Parameter, opened: Parameter
) -> None:
    assert within_limits(current, proposed) == opened


def test_a_known_objective_limits_how_far_its_settings_can_be_widened() -> None:
    space = Space(
        {
            "dropout": FloatRange(low=0.1, high=0.5),
            "lr": LR,
            "hidden_width": IntRange(low=10, high=100, limit=Limit(high=20_000)),
            "optimizer": Categorical(choices=["sgd", "adam"]),
        }
    )
    limited = within_objective("multi_layer_net", space).parameters
    assert limited["dropout"].limit == Limit(low=0.0, high=pytest.approx(1.0))
    assert limited["dropout"].limit.high < 1.0
    assert limited["lr"].limit == Limit(low=None, high=1e6)
    assert limited["hidden_width"].limit == Limit(low=1, high=10_000)
    assert limited["optimizer"] == space.parameters["optimizer"]


def test_nothing_is_known_of_the_limits_of_an_external_objective() -> None:
    space = Space({"lr": LR})
    assert within_objective("mine", space) is space
