"""Spaces of every kind, for Hypothesis, and the histories that searches may meet in them."""

from hypothesis import strategies as st

from service.domain.space import Categorical, FieldError, FloatRange, IntRange, Params, Scalar, Space, When
from service.domain.status import TrialStatus
from service.domain.trial import Observation

scales = st.sampled_from(["linear", "log"])
scalars = st.one_of(st.booleans(), st.integers(-5, 5), st.floats(-5, 5), st.text("abc", min_size=1, max_size=2))


@st.composite
def float_ranges(draw: st.DrawFn, when: When | None = None) -> FloatRange:
    if draw(scales) == "log":
        low = draw(st.sampled_from([1e-300, 1e-12, 1e-6, 0.3, 1.0, 1e5]))
        return FloatRange(low=low, high=low * draw(st.floats(1.001, 1e8)), scale="log", when=when)
    low = draw(st.sampled_from([-1e6, -1.0, -0.1, 0.0, 0.3, 100.0]))
    high = low + draw(st.sampled_from([1e-3, 0.9, 1.0, 7.0, 1e6]))
    step = draw(st.none() | st.sampled_from([0.1, 0.25, 1 / 3, 1.0]).filter(lambda step: step <= high - low))
    return FloatRange(low=low, high=high, step=step, when=when)


@st.composite
def int_ranges(draw: st.DrawFn, when: When | None = None, widest: int = 10**6) -> IntRange:
    scale = draw(scales)
    low = draw(st.integers(1 if scale == "log" else -100, 100))
    width = draw(st.integers(1, 9) | st.integers(1, widest))
    step = draw(st.none() | st.integers(1, width))
    return IntRange(low=low, high=low + width, scale=scale, step=step, when=when)


@st.composite
def categoricals(draw: st.DrawFn, when: When | None = None) -> Categorical:
    choices = draw(st.lists(scalars, min_size=1, max_size=4))
    try:
        return Categorical(choices=choices, when=when)
    except FieldError:
        return Categorical(choices=[True, 1, "one"], when=when)


@st.composite
def spaces(draw: st.DrawFn, most: int = 5) -> Space:
    """Up to a few parameters, of which any may depend on one before it."""
    parameters = {}
    for index in range(draw(st.integers(1, most))):
        deciding = [name for name, parameter in parameters.items() if isinstance(parameter, Categorical)]
        when = None
        if deciding and draw(st.booleans()):
            other = draw(st.sampled_from(deciding))
            when = {other: draw(st.lists(st.sampled_from(parameters[other].choices), min_size=1, max_size=2))}
        parameters[f"p{index}"] = draw(st.one_of(float_ranges(when), int_ranges(when), categoricals(when)))
    return Space(parameters)


@st.composite
def finite_spaces(draw: st.DrawFn) -> Space:
    """Spaces that can be searched to the end."""
    options = Categorical(choices=["a", "b", "c"])
    short = IntRange(low=1, high=draw(st.integers(2, 6)), scale=draw(scales))
    idle = IntRange(low=0, high=9, step=3, when={"o": draw(st.sampled_from([["a"], ["b", "c"]]))})
    return draw(st.sampled_from([Space({"o": options, "i": idle, "n": short}), Space({"n": short})]))


def middle(space: Space) -> dict[str, Scalar]:
    return space.decode(dict.fromkeys(space.parameters, 0.5))


def seen(number: int, params: Params, value: float | None, status: TrialStatus = TrialStatus.COMPLETED) -> Observation:
    return Observation(number=number, params=params, status=status, value=value)
