"""A space in Optuna's terms: nothing is lost on the way there and back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.space import Categorical, FloatRange, IntRange, Parameter, Space
from service.search.terms import Terms
from tests.contracts.spaces import middle, spaces

pytest.importorskip("optuna", reason="Optuna is not installed: its terms are not tested")


def term(parameter: Parameter) -> Any:
    return Terms.of(Space({"p": parameter}), flat=False).each["p"]


@given(spaces(), st.booleans(), st.data())
def test_a_point_comes_back_as_it_was(space: Space, flat: bool, data: st.DataObject) -> None:
    point = space.decode({name: data.draw(st.floats(0, 1)) for name in space.parameters})
    terms = Terms.of(space, flat=flat)
    back = terms.point(terms.told(point))
    assert back.keys() == point.keys()
    assert space.encode(back) == pytest.approx(space.encode(point), abs=1e-9)
    assert space.faults(back) == []


@given(spaces())
def test_what_is_told_lies_in_the_distributions(space: Space) -> None:
    for flat in (False, True):
        terms = Terms.of(space, flat=flat)
        told = terms.told(middle(space))
        for name, distribution in terms.distributions_of(told).items():
            assert distribution._contains(distribution.to_internal_repr(told[name]))


def test_numbers_are_counted_where_they_are_few_and_keep_their_scale() -> None:
    from optuna.distributions import FloatDistribution, IntDistribution

    unit = FloatDistribution(0.0, 1.0)
    assert term(IntRange(low=2, high=10, step=4)).distribution == IntDistribution(0, 2)
    assert term(FloatRange(low=0, high=1, step=0.25)).distribution == IntDistribution(0, 4)
    assert term(IntRange(low=1, high=64, scale="log")).distribution == IntDistribution(1, 64, log=True)
    assert term(IntRange(low=0, high=10**6)).distribution == unit
    assert term(FloatRange(low=1e-6, high=1, scale="log")).distribution == unit
    assert term(FloatRange(low=1e-6, high=1, scale="log")).told(1e-3) == pytest.approx(0.5)


def test_choices_that_python_takes_for_equal_stay_apart() -> None:
    terms = Terms.of(Space({"c": Categorical(choices=[1, True, "1"])}), flat=False)
    assert [terms.told({"c": choice})["c"] for choice in (1, True, "1")] == [0, 1, 2]
    assert terms.point({"c": 1})["c"] is True


def test_what_leaves_no_choice_is_not_put_to_a_sampler_but_is_in_every_point() -> None:
    terms = Terms.of(Space({"a": IntRange(low=3, high=3), "b": IntRange(low=0, high=1)}), flat=False)
    assert terms.each.keys() == {"b"}
    assert terms.point({"b": 1}) == {"a": 3, "b": 1}


def test_only_a_flat_space_has_a_place_for_what_is_not_active() -> None:
    space = Space(
        {"opt": Categorical(choices=["sgd", "m"]), "m": FloatRange(low=0, high=0.9, when={"opt": ["m"]})},
    )
    assert Terms.of(space, flat=False).told({"opt": "sgd"}) == {"opt": 0}
    assert Terms.of(space, flat=True).told({"opt": "sgd"}) == {"opt": 0, "m": 0.5}
    assert Terms.of(space, flat=True).point({"opt": 0, "m": 0.2}) == {"opt": "sgd"}
