"""Points as columns: by their values and by their place in the unit cube it is the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.space import Categorical, FloatRange, IntRange, Space
from service.search.features import Features
from service.search.random import point_at
from tests.contracts.spaces import spaces

ACTIVATIONS = Space({"act": Categorical(choices=["relu", True, 1])})
NET = Space(
    {
        "optimizer": Categorical(choices=["sgd", "momentum"]),
        "momentum": FloatRange(low=0.0, high=1.0, when={"optimizer": ["momentum"]}),
        "layers": IntRange(low=1, high=4),
        "width": IntRange(low=1, high=1_000, scale="log", when={"layers": [3, 4]}),
    }
)


@given(spaces(), st.integers(0, 100))
def test_a_place_and_the_values_it_decodes_to_have_the_same_columns(space: Space, seed: int) -> None:
    units = np.random.default_rng(seed).random((20, len(space.parameters)))
    points = [point_at(space, row) for row in units.tolist()]
    features = Features.spanning(space, [])
    assert features.columns(units) == pytest.approx(features.rows(points), abs=1e-6)
    told = [{name for name, active in zip(features.axes, row, strict=True) if active} for row in features.active(units)]
    assert told == [set(point) for point in points]


def test_choices_become_columns_one_unit_apart() -> None:
    features = Features.spanning(ACTIVATIONS, [{"act": "an older choice"}])
    rows = features.rows([{"act": "relu"}, {"act": True}, {"act": 1}, {"act": "an older choice"}, {}])
    assert rows.shape == (5, 4)
    assert np.linalg.norm(rows[1] - rows[2]) == pytest.approx(1)
    assert np.linalg.norm(rows[:4] - rows[4], axis=1) == pytest.approx([np.linalg.norm(rows[0] - rows[4])] * 4)


def test_points_of_earlier_rounds_lie_beyond_the_box_at_a_finite_distance() -> None:
    features = Features.spanning(Space({"lr": FloatRange(low=1e-3, high=1e-2, scale="log")}), [])
    beyond, far, none = features.rows([{"lr": 1e-1}, {"lr": 1e300}, {"lr": -1.0}])[:, 0]
    assert (beyond, far) == (pytest.approx(2), pytest.approx(303))
    assert np.isfinite(none)
    assert none < -100


def test_columns_know_their_parameter_and_which_can_be_followed_uphill() -> None:
    features = Features.spanning(NET, [])
    assert list(features.axes) == ["layers", "momentum", "optimizer", "width"]
    assert features.groups.tolist() == [0, 1, 2, 2, 3]
    assert features.smooth.tolist() == [1, 3]
    assert features.smooth_columns.tolist() == [1, 4]


def test_parameters_that_are_not_active_have_the_same_column_wherever_they_lie() -> None:
    features = Features.spanning(NET, [])
    units = np.array([[0.1, 0.2, 0.1, 0.3], [0.1, 0.9, 0.1, 0.8]])
    assert features.columns(units)[0].tolist() == features.columns(units)[1].tolist()
