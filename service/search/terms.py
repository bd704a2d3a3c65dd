"""A space in Optuna's terms: what its samplers choose among, and what their choices mean."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from service.domain.space import Categorical, IntRange, Numeric, Parameter, Params, Scalar, Space

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

MOST_COUNTED = 1_000
"""Beyond so many values a sampler is offered a continuum: it would list them, and could not tell neighbours apart."""


@dataclass(frozen=True)
class Term:
    """One parameter: a distribution of Optuna's, and the way into it and back."""

    distribution: "BaseDistribution"
    told: Callable[[Any], Any]
    meant: Callable[[Any], Scalar]


@dataclass(frozen=True)
class Terms:
    """The parameters that leave a choice, by sorted names: the order in which the space was written is no matter."""

    space: Space
    each: Mapping[str, Term]
    flat: bool
    """Whether a parameter that is not active has a place all the same, the middle of its range."""

    @classmethod
    def of(cls, space: Space, *, flat: bool) -> Self:
        open_ones = (name for name in sorted(space.parameters) if space.parameters[name].count != 1)
        return cls(space, {name: _term(space.parameters[name]) for name in open_ones}, flat)

    def distributions_of(self, names: Iterable[str]) -> dict[str, "BaseDistribution"]:
        return {name: self.each[name].distribution for name in names}

    def told(self, params: Params) -> dict[str, Any]:
        """A point of the space as a sampler is told of it."""
        known = {**self._middle, **params} if self.flat else params
        return {name: term.told(known[name]) for name, term in self.each.items() if name in known}

    def point(self, chosen: Mapping[str, Any]) -> dict[str, Scalar]:
        """The point that a sampler means, without what is not active there."""
        values = self._middle | {name: self.each[name].meant(value) for name, value in chosen.items()}
        active = self.space.active(values)
        return {name: value for name, value in values.items() if name in active}

    @cached_property
    def _middle(self) -> dict[str, Scalar]:
        return {name: parameter.from_unit(0.5) for name, parameter in self.space.parameters.items()}


def _term(parameter: Parameter) -> Term:
    from optuna.distributions import CategoricalDistribution, IntDistribution

    # Choices and counted values by their index: Optuna takes 1 and true for the same choice.
    if isinstance(parameter, Categorical):
        return Term(CategoricalDistribution(range(parameter.count)), parameter.index, parameter.choices.__getitem__)
    if parameter.count is None or parameter.count > MOST_COUNTED:
        return _continuum(parameter)
    if parameter.scale == "linear":
        index = IntDistribution(0, parameter.count - 1)
        return Term(index, lambda value: parameter.index_at(parameter.to_unit(value)), parameter.value)
    if isinstance(parameter, IntRange) and parameter.spacing == 1:
        return Term(IntDistribution(parameter.low, parameter.high, log=True), int, int)
    return _continuum(parameter)


def _continuum(parameter: Numeric) -> Term:
    from optuna.distributions import FloatDistribution

    def told(value: float) -> float:
        return min(max(parameter.to_unit(value), 0.0), 1.0)

    return Term(FloatDistribution(0.0, 1.0), told, parameter.from_unit)
