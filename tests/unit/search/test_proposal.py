"""Where a model promises the most, and whether it is found."""

import numpy as np
import pytest

from service.domain.space import Categorical, FloatRange, IntRange, Space
from service.search.acquisition import Promise
from service.search.axes import Floats
from service.search.features import Features
from service.search.gaussian import Process
from service.search.proposal import Landscape, Region

CUBE = Space({f"x{index}": FloatRange(low=0, high=1) for index in range(4)})
MIXED = Space(
    {
        "kind": Categorical(choices=["a", "b", "c"]),
        "n": IntRange(low=1, high=5),
        "x": FloatRange(low=0, high=1),
        "y": FloatRange(low=0, high=1, when={"kind": ["b"]}),
    }
)


def chance() -> np.random.Generator:
    return np.random.default_rng(3)


def landscape(space: Space, region: Region | None = None) -> tuple[Landscape, Floats]:
    """That of a function of thirty points, and the best of them."""
    features = Features.spanning(space, [])
    units = np.random.default_rng(0).random((30, len(space.parameters)))
    columns = features.columns(units)
    scores = -((columns - 0.4) ** 2).sum(axis=1)
    scores = (scores - scores.mean()) / scores.std()
    process = Process.fitted(columns, features.groups, scores)
    promise = Promise("EI", float(scores.max()), 0.0, 0.0)
    return Landscape(features, process, promise, region or Region.everywhere(len(features.axes))), units[
        np.argsort(-scores)[:3]
    ]


@pytest.mark.parametrize("space", [CUBE, MIXED], ids=["cube", "mixed"])
def test_no_point_of_very_many_promises_more_than_the_one_it_finds(space: Space) -> None:
    found, incumbents = landscape(space)
    first = next(found.ranked(incumbents, 200, chance()))
    drawn = np.random.default_rng(1).random((20_000, len(space.parameters)))
    assert found.heights(first[np.newaxis])[0] >= found.heights(drawn).max()


def test_the_points_come_in_the_order_of_what_they_promise() -> None:
    found, incumbents = landscape(MIXED)
    heights = found.heights(np.array(list(found.ranked(incumbents, 50, chance()))))
    assert (np.diff(heights) <= 0).all()


def test_a_region_is_kept_to() -> None:
    whole, incumbents = landscape(CUBE)
    region = Region.around(incumbents[0], whole.features, whole.process)
    found, _ = landscape(CUBE, region)
    assert region.holds(np.array(list(found.ranked(incumbents, 50, chance())))).all()
    assert not region.holds(np.array(list(whole.ranked(incumbents, 50, chance())))).all()


def test_a_region_of_one_choice_has_no_other() -> None:
    region = Region.everywhere(len(MIXED.parameters))
    region.low[0] = region.high[0] = 0.5
    found, incumbents = landscape(MIXED, region)
    points = np.array(list(found.ranked(region.clipped(incumbents), 50, chance())))
    assert region.holds(points).all()


def test_a_region_is_long_where_the_function_changes_little_and_has_all_of_a_few_values() -> None:
    features = Features.spanning(MIXED, [])
    lengths = np.array([1.0, 1.0, 1.0, 1.0, 0.2, 0.8])
    process = Process(1.0, lengths, 0.01, np.zeros((1, 6)), np.ones((1, 1)), np.zeros(1))
    region = Region.around(np.full(4, 0.5), features, process)
    wide = (region.high - region.low).tolist()
    assert wide[:2] == [1.0, 1.0]
    assert wide[3] == pytest.approx(4 * wide[2])
