"""Gathers what the importance of a study's parameters is judged from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

from service.domain.space import Categorical, Parameter, Space, identity
from service.domain.study import Study
from service.domain.trial import Goal, Observation
from service.storage.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportanceQuestion:
    """All that the answer depends on."""

    study: str
    space: Space
    history: Sequence[Observation]
    goal: Goal
    seed: int


def plan_importance(store: Store, study: Study) -> ImportanceQuestion:
    """What to ask: from every finished search trial, over the ranges of all rounds together."""
    return ImportanceQuestion(
        study=study.id,
        space=reduce(_together, [one.space for one in store.rounds.all(study.id)]),
        history=store.trials.observations(study.id),
        goal=study.spec.metric.goal,
        seed=study.spec.search.seed,
    )


def _together(space: Space, other: Space) -> Space:
    return space.with_ranges(
        {name: _union(parameter, other.parameters[name]) for name, parameter in space.parameters.items()}
    )


def _union(one: Parameter, other: Parameter) -> Parameter:
    """The least range that holds both, which are of one kind: rounds change the ends of a range only."""
    if isinstance(one, Categorical) and isinstance(other, Categorical):
        known = {identity(choice): choice for choice in (*one.choices, *other.choices)}
        return replace(one, choices=list(known.values()))
    assert not isinstance(one, Categorical)
    assert not isinstance(other, Categorical)
    low, high = min(one.low, other.low), max(one.high, other.high)
    return one.within(low, high) if math.isfinite(high - low) else one
