"""The sentences in which a verdict by evidence says why."""

from collections.abc import Sequence

from service.domain.space import Categorical, Numeric, Scalar
from service.domain.trial import Observation
from service.narrowing.ends import Side

OUTER = 0.25


def too_few(count: int, fewest: int) -> str:
    have = "1 finished trial" if count == 1 else f"{count} finished trials"
    return f"Too few: {have} in or near the box in force used this parameter, and it takes at least {fewest}."


def alike(count: int) -> str:
    return f"The {count} finished trials all ended alike, so that there is nothing to tell them apart by."


def single(parameter: Numeric | Categorical) -> str:
    if isinstance(parameter, Categorical):
        return f"There is one choice only, {parameter.choices[0]!r}."
    return f"The range has no width, it holds {parameter.low:.4g} only."


def no_difference(where: str, chance: float) -> str:
    return (
        f"{where}, and trials alike in the other parameters differ by no more than chance "
        f"(the values are {min(chance, 1.0):.0%} as likely without it): the data cannot tell."
    )


def not_looked_at() -> str:
    return "Other parameters have more to do with the values, and too many for all to be judged: the data cannot tell."


def anywhere(where: str, low: float, high: float) -> str:
    return f"{where}. It matters, but the best may lie anywhere from {low:.4g} to {high:.4g}: the data cannot tell."


def any_choice(where: str) -> str:
    return f"{where}. It matters, but each of the choices may still be the best: the data cannot tell."


def cut(where: str, proposed: Numeric, share: float, failed: str) -> str:
    of = "its values" if proposed.count is not None else "the range"
    scale = " on its log scale" if proposed.count is None and proposed.scale == "log" else ""
    interval = f"{proposed.low:.4g} and {proposed.high:.4g}"
    return f"{where}; by all trials together the best lies between {interval}, {share:.0%} of {of}{scale}{failed}."


def failures(failed: int, outside: int) -> str:
    return f"; of the {outside} trials outside of it {failed} failed" if 4 * failed > outside else ""


def dropped(where: str, left: Sequence[Scalar]) -> str:
    return f"{where}; by all trials together the best uses {' or '.join(map(repr, left))}."


def rises(where: str, proposed: Numeric, current: Numeric, side: Side) -> str:
    end, way, to = ("upper", "upwards", proposed.high) if side == "high" else ("lower", "downwards", proposed.low)
    other = _other_end(proposed, current, side)
    return f"{where}, and the values still rise towards the {end} end: widen {way} to {to:.4g}{other}."


def _other_end(proposed: Numeric, current: Numeric, side: Side) -> str:
    if side == "high":
        return f" and begin at {proposed.low:.4g}" if proposed.low > current.low else ""
    return f" and end at {proposed.high:.4g}" if proposed.high < current.high else ""


def leading(name: str, parameter: Numeric | Categorical, leaders: Sequence[Observation]) -> str:
    """Where the leaders lie: the beginning of most reasons."""
    using = [leader.params[name] for leader in leaders if name in leader.params]
    if not using:
        return "No leader used this parameter"
    if isinstance(parameter, Categorical):
        used = [choice for choice in parameter.choices if choice in using]
        return f"{_who(leaders)} used {', '.join(map(repr, used))}"
    values = [float(value) for value in using]
    if len(values) == 1:
        return f"{_who(leaders)} lies at {values[0]:.4g}"
    return f"{_who(leaders)} {_crowd(parameter, values)} between {min(values):.4g} and {max(values):.4g}"


def _crowd(parameter: Numeric, values: Sequence[float]) -> str:
    places = [parameter.to_unit(value) for value in values]
    if 2 * sum(place > 1 - OUTER for place in places) > len(places):
        return "crowd the upper end,"
    if 2 * sum(place < OUTER for place in places) > len(places):
        return "crowd the lower end,"
    return "lie"


def _who(leaders: Sequence[Observation]) -> str:
    best = leaders[0].value
    if len(leaders) == 1:
        return f"The one leader ({best:.4g})"
    return f"The {len(leaders)} leaders, which cannot be told apart from the best ({best:.4g}),"
