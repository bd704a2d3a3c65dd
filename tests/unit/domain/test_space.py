"""Ranges, conditions and their picture in the unit cube."""

import json
import math
from collections.abc import Mapping

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from service.domain.space import (
    Categorical,
    FieldError,
    FloatRange,
    IntRange,
    Limit,
    Parameter,
    Space,
    check_when_values,
    identity,
    key_of,
)
from tests.contracts.spaces import categoricals, float_ranges, int_ranges, scalars, spaces

units = st.floats(0, 1)
finite = st.floats(allow_nan=False, allow_infinity=False)
MOMENTUM = FloatRange(low=0, high=0.99, when={"optimizer": ["momentum", "nesterov"]})
OPTIMIZER = Categorical(choices=["sgd", "momentum", "nesterov"])
NESTED = Space({"warmup": IntRange(low=1, high=9, when={"m": [0.0]}), "m": MOMENTUM, "optimizer": OPTIMIZER})


@given(st.one_of(float_ranges(), int_ranges(), categoricals()), units)
def test_every_place_in_the_unit_interval_has_a_plain_value_of_the_range(parameter: Parameter, unit: float) -> None:
    value = parameter.from_unit(unit)
    assert parameter.fault(value) is None
    assert type(value) in (bool, int, float, str)


@given(st.one_of(float_ranges(), int_ranges()), st.floats(-10, 10))
def test_places_beyond_the_unit_interval_have_the_values_at_its_ends(
    parameter: FloatRange | IntRange, unit: float
) -> None:
    assert parameter.fault(parameter.from_unit(unit)) is None
    assert parameter.from_unit(min(unit, 0.0)) == parameter.low


@given(float_ranges(), units, units)
def test_values_rise_with_their_place(parameter: FloatRange, one: float, other: float) -> None:
    low, high = sorted([one, other])
    assert parameter.from_unit(low) <= parameter.from_unit(high)


@given(float_ranges())
def test_the_ends_of_a_continuum_are_met_bit_for_bit(parameter: FloatRange) -> None:
    assume(parameter.step is None)
    assert (parameter.from_unit(0.0), parameter.from_unit(1.0)) == (parameter.low, parameter.high)


@given(finite, finite, units)
def test_no_float_range_is_left_however_wide_or_thin(one: float, other: float, unit: float) -> None:
    low, high = sorted([one, other])
    assume(math.isfinite(high - low))
    assert low <= FloatRange(low=low, high=high).from_unit(unit) <= high
    if low > 0:
        assert low <= FloatRange(low=low, high=high, scale="log").from_unit(unit) <= high


@given(finite, finite, finite)
def test_every_number_has_a_place_however_wide_or_thin_the_range(one: float, other: float, value: float) -> None:
    low, high = sorted([one, other])
    assume(math.isfinite(high - low))
    assert not math.isnan(FloatRange(low=low, high=high).to_unit(value))
    if low > 0:
        assert not math.isnan(FloatRange(low=low, high=high, scale="log").to_unit(value))


def test_a_log_range_too_thin_for_its_logarithm_has_its_values_in_the_middle() -> None:
    low = 1e5
    assert FloatRange(low=low, high=math.nextafter(low, 2e5), scale="log").to_unit(low) == 0.5


@given(st.one_of(int_ranges(), float_ranges().filter(lambda parameter: parameter.step is not None)), st.data())
def test_a_counted_value_comes_back_from_its_place(parameter: FloatRange | IntRange, data: st.DataObject) -> None:
    assert parameter.count is not None
    value = parameter.value(data.draw(st.integers(0, parameter.count - 1)))
    assert parameter.from_unit(parameter.to_unit(value)) == value


@given(float_ranges().filter(lambda parameter: parameter.step is None), units)
def test_a_place_comes_back_from_its_value(parameter: FloatRange, unit: float) -> None:
    assert parameter.to_unit(parameter.from_unit(unit)) == pytest.approx(unit, abs=1e-6)


@given(categoricals(), st.data())
def test_a_choice_comes_back_from_its_place(parameter: Categorical, data: st.DataObject) -> None:
    choice = data.draw(st.sampled_from(parameter.choices))
    assert identity(parameter.from_unit(parameter.to_unit(choice))) == identity(choice)


def test_each_integer_owns_an_equal_part_of_a_linear_range() -> None:
    parameter = IntRange(low=0, high=10, step=3)
    drawn = [parameter.from_unit((place + 0.5) / 1000) for place in range(1000)]
    assert {value: drawn.count(value) for value in sorted(set(drawn))} == {0: 250, 3: 250, 6: 250, 9: 250}


def test_on_a_log_scale_each_integer_owns_its_decades() -> None:
    parameter = IntRange(low=1, high=99, scale="log")
    drawn = [parameter.from_unit((place + 0.5) / 1000) for place in range(1000)]
    assert sum(value < 10 for value in drawn) == 500


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_integers_up_to_2_to_the_53_come_out_whole(scale: str) -> None:
    parameter = IntRange(low=1, high=2**53, scale=scale)
    assert (parameter.from_unit(0.0), parameter.from_unit(1.0)) == (1, 2**53)


def test_steps_are_added_as_they_are_written() -> None:
    parameter = FloatRange(low=0, high=1, step=0.1)
    assert [parameter.value(index) for index in range(11)] == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]


@given(st.integers(0, 9), st.integers(1, 10))
def test_a_range_cut_out_of_a_stepped_one_has_the_same_values(first: int, more: int) -> None:
    whole = FloatRange(low=0, high=2, step=0.1)
    part = whole.within(whole.value(first), whole.value(first + more))
    assert part.count == more + 1
    assert [part.value(i) for i in range(more + 1)] == [whole.value(first + i) for i in range(more + 1)]


def test_the_last_step_may_fall_short_of_the_end() -> None:
    parameter = FloatRange(low=0, high=1, step=0.3)
    assert (parameter.count, parameter.from_unit(1.0)) == (4, 0.9)


def test_values_outside_the_range_lie_beyond_the_unit_interval() -> None:
    lr = FloatRange(low=1e-4, high=1e-2, scale="log")
    assert lr.to_unit(1.0) == pytest.approx(2.0)
    assert lr.to_unit(1e-6) == pytest.approx(-1.0)
    assert lr.to_unit(0.0) == -math.inf
    assert IntRange(low=1, high=4).to_unit(9) > 1
    assert Categorical(choices=["a"]).to_unit("b") > 1


def test_the_ends_of_a_float_range_are_floats_and_those_of_an_int_range_ints() -> None:
    assert type(FloatRange(low=0, high=1).from_unit(0.0)) is float
    assert type(IntRange(low=0.0, high=4.0).from_unit(1.0)) is int  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "range_"),
    [
        ("high", {"low": 2.0, "high": 1.0}),
        ("low", {"low": math.nan, "high": 1.0}),
        ("high", {"low": 0.0, "high": math.inf}),
        ("high", {"low": -1.7e308, "high": 1.7e308}),
        ("low", {"low": 0.0, "high": 1.0, "scale": "log"}),
        ("low", {"low": -1.0, "high": 1.0, "scale": "log"}),
        ("step", {"low": 0.0, "high": 1.0, "step": 0.0}),
        ("step", {"low": 0.0, "high": 1.0, "step": -0.1}),
        ("step", {"low": 0.0, "high": 1.0, "step": 1.1}),
        ("step", {"low": 0.0, "high": 1e300, "step": 1e-300}),
        ("limit.low", {"low": 0.0, "high": 1.0, "limit": Limit(low=0.5)}),
        ("limit.high", {"low": 0.0, "high": 1.0, "limit": Limit(high=0.5)}),
        ("limit.low", {"low": 0.1, "high": 1.0, "scale": "log", "limit": Limit(low=0.0)}),
    ],
)
def test_a_range_that_makes_no_sense_is_refused_by_field(field: str, range_: Mapping[str, object]) -> None:
    with pytest.raises(FieldError) as refused:
        FloatRange(**range_)  # type: ignore[arg-type]
    assert refused.value.field == field


@pytest.mark.parametrize("low", [0.5, True, -(2**53) - 1])
def test_an_int_range_holds_integers_that_json_keeps_exact(low: float) -> None:
    with pytest.raises(FieldError):
        IntRange(low=low, high=7)  # type: ignore[arg-type]


def test_neighbouring_steps_make_a_range_though_their_difference_is_rounded() -> None:
    assert FloatRange(low=0.8, high=0.9, step=0.1).count == 2
    assert FloatRange(low=0.3, high=0.3, step=0.1).count == 1


@pytest.mark.parametrize("choices", [[], ["a", "a"], [1, 1.0], [math.inf]])
def test_choices_are_some_finite_and_different(choices: list[object]) -> None:
    with pytest.raises(FieldError) as refused:
        Categorical(choices=choices)  # type: ignore[arg-type]
    assert refused.value.field == "choices"


def test_one_and_true_are_different_choices() -> None:
    parameter = Categorical(choices=[True, 1, "1"])
    assert [parameter.index(value) for value in (True, 1, 1.0, "1", False)] == [0, 1, 1, 2, 3]


@pytest.mark.parametrize("value", [True, "0.5", math.nan, math.inf, -0.1, 10**400])
def test_a_float_range_says_what_is_wrong_with_a_value(value: object) -> None:
    assert "must be" in (FloatRange(low=0, high=1).fault(value) or "")  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [True, "1", 1.0, 0, 10**400])
def test_an_int_range_says_what_is_wrong_with_a_value(value: object) -> None:
    assert "must be" in (IntRange(low=1, high=4).fault(value) or "")  # type: ignore[arg-type]


@given(st.one_of(float_ranges(), int_ranges(), categoricals()))
def test_a_range_comes_back_from_the_wire(parameter: Parameter) -> None:
    wire: TypeAdapter[Parameter] = TypeAdapter(Parameter)
    assert wire.validate_json(wire.dump_json(parameter, exclude_none=True)) == parameter


def test_the_wire_refuses_what_a_range_does_not_know() -> None:
    wire: TypeAdapter[Parameter] = TypeAdapter(Parameter)
    with pytest.raises(ValidationError):
        wire.validate_python({"type": "float", "low": 0, "high": 1, "mid": 0.5})


@given(spaces(), st.data())
def test_every_decoded_point_fits_the_space(space: Space, data: st.DataObject) -> None:
    params = space.decode({name: data.draw(units) for name in space.parameters})
    assert space.faults(params) == []
    assert params.keys() == space.active(params)
    assert list(params) == [name for name in space.parameters if name in params]


@given(spaces(), st.data())
def test_a_decoded_point_comes_back_from_its_encoding(space: Space, data: st.DataObject) -> None:
    params = space.decode({name: data.draw(units) for name in space.parameters})
    again = space.decode(space.encode(params))
    assert again.keys() == params.keys()
    for name, value in params.items():
        parameter = space.parameters[name]
        assert parameter.to_unit(again[name]) == pytest.approx(parameter.to_unit(value), abs=1e-6)


def test_a_condition_on_an_inactive_parameter_does_not_hold() -> None:
    assert NESTED.decode({"warmup": 0.5, "m": 0.0, "optimizer": 0.0}) == {"optimizer": "sgd"}
    assert NESTED.decode({"warmup": 0.5, "m": 0.0, "optimizer": 0.5}) == {
        "warmup": 5,
        "m": 0.0,
        "optimizer": "momentum",
    }
    assert NESTED.order == ("optimizer", "m", "warmup")


def test_inactive_parameters_are_encoded_in_the_middle() -> None:
    assert NESTED.encode({"optimizer": "sgd"}) == {"warmup": 0.5, "m": 0.5, "optimizer": pytest.approx(1 / 6)}


def test_every_fault_of_a_point_is_named() -> None:
    faults = dict(NESTED.faults({"optimizer": "sgd", "m": 0.5, "width": 3}))
    assert faults.keys() == {"m", "width"}
    assert "not active" in faults["m"]
    assert dict(NESTED.faults({"optimizer": "momentum"})) == {"m": "is missing"}
    assert dict(NESTED.faults({"optimizer": "momentum", "m": 2.0})).keys() == {"m"}


@pytest.mark.parametrize(
    ("field", "parameters"),
    [
        ("", {}),
        ("m.when.optimizer", {"m": MOMENTUM}),
        ("m.when.m", {"m": FloatRange(low=0, high=1, when={"m": [0]})}),
        ("m.when.optimizer", {"m": FloatRange(low=0, high=1, when={"optimizer": []}), "optimizer": OPTIMIZER}),
        ("a.when", {"a": IntRange(low=0, high=1, when={"b": [0]}), "b": IntRange(low=0, high=1, when={"a": [0]})}),
    ],
)
def test_conditions_that_lead_nowhere_are_refused(field: str, parameters: Mapping[str, Parameter]) -> None:
    with pytest.raises(FieldError) as refused:
        Space(parameters)
    assert refused.value.field == field


def test_a_condition_must_ask_for_a_value_that_there_is() -> None:
    space = Space({"m": FloatRange(low=0, high=1, when={"optimizer": ["adam"]}), "optimizer": OPTIMIZER})
    with pytest.raises(FieldError) as refused:
        check_when_values(space)
    assert refused.value.field == "m.when.optimizer"


def test_a_space_counts_its_points_where_they_can_be_counted() -> None:
    assert Space({"a": IntRange(low=1, high=3), "b": Categorical(choices=["x", "y"])}).count == 6
    assert NESTED.count is None


@given(st.dictionaries(st.text("ab", min_size=1, max_size=2), scalars, min_size=1))
def test_the_key_of_a_point_survives_json_and_any_order(params: dict[str, bool | int | float | str]) -> None:
    turned = dict(reversed(json.loads(json.dumps(params)).items()))
    assert key_of(turned) == key_of(params)


def test_points_that_differ_on_the_wire_have_different_keys() -> None:
    points = [{"a": 1}, {"a": True}, {"a": "1"}, {"a": 2}, {"b": 1}, {"a": 1, "b": 1}, {"a": 1.5}, {"a": 1e300}]
    assert len({key_of(point) for point in points}) == len(points)
    assert key_of({"a": 1}) == key_of({"a": 1.0})
    assert key_of({"a": 0.0}) == key_of({"a": -0.0}) == key_of({"a": 0})
