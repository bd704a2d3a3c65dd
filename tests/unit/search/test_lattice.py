"""The lattice: every distinct point of a grid, by its index."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from service.domain.space import Categorical, FloatRange, IntRange, Space, key_of
from service.search.blocks import independent_parts
from service.search.lattice import Lattice, every_point
from service.search.levels import level, most_levels
from tests.contracts.spaces import spaces


def lattice(space: Space, levels: dict[str, int]) -> Lattice:
    return Lattice.over(space.parameters, independent_parts(space), levels)


def by_brute_force(space: Space, levels: dict[str, int]) -> set[str]:
    """The keys of all combinations, without the values that are not active in them."""
    names = list(space.parameters)
    keys = set()
    for steps in product(*(range(levels[name]) for name in names)):
        values = {
            name: level(space.parameters[name], levels[name], step) for name, step in zip(names, steps, strict=True)
        }
        while idle := values.keys() - space.active(values):
            values = {name: value for name, value in values.items() if name not in idle}
        keys.add(key_of(values))
    return keys


@given(spaces(most=4), st.integers(1, 4))
def test_it_holds_each_distinct_point_once(space: Space, count: int) -> None:
    levels = {
        name: parameter.count if isinstance(parameter, Categorical) else min(count, most_levels(parameter))
        for name, parameter in space.parameters.items()
    }
    grid = lattice(space, levels)
    walked = [key_of(point) for point in grid.walk()]
    assert len(walked) == len(set(walked)) == grid.size
    assert set(walked) == by_brute_force(space, levels)


def test_conditions_on_numbers_and_through_each_other_count_no_point_twice() -> None:
    space = Space(
        {
            "units2": IntRange(low=1, high=3, when={"layers": [2, 3]}),
            "layers": IntRange(low=1, high=4),
            "decay": FloatRange(low=0, high=1, when={"units2": [3], "opt": ["sgd"]}),
            "opt": Categorical(choices=["sgd", "adam", "adagrad"]),
            "lr": FloatRange(low=0, high=1),
        }
    )
    levels = {"units2": 3, "layers": 4, "decay": 5, "opt": 3, "lr": 2}
    grid = lattice(space, levels)
    assert grid.size == 2 * (2 * 3 + 2 * (2 * 3 + 1 * (5 + 2)))
    assert {key_of(point) for point in grid.walk()} == by_brute_force(space, levels)


def test_a_parameter_that_can_never_be_active_adds_no_points() -> None:
    space = Space({"m": FloatRange(low=0, high=1, when={"opt": ["momentum"]}), "opt": Categorical(choices=["sgd"])})
    assert list(lattice(space, {"m": 9, "opt": 1}).walk()) == [{"opt": "sgd"}]


def test_a_huge_grid_costs_no_more_than_the_points_taken_from_it() -> None:
    space = Space(
        {f"p{index}": FloatRange(low=0, high=1) for index in range(20)}
        | {"n": IntRange(low=1, high=10**7), "m": FloatRange(low=0, high=1, when={"n": [3]})}
    )
    grid = lattice(space, dict.fromkeys(space.parameters, 10) | {"n": 10**7})
    assert grid.size == 10**20 * (10**7 - 1 + 10)
    assert len({key_of(point) for _, point in zip(range(100), grid.walk(10**9), strict=False)}) == 100


def test_a_continuum_cannot_be_listed() -> None:
    assert every_point(Space({"x": FloatRange(low=0, high=1)})) is None
    whole = every_point(Space({"x": FloatRange(low=0, high=1, step=0.5), "n": IntRange(low=1, high=2)}))
    assert whole is not None
    assert whole.size == 6
