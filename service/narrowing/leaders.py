"""Leaders: a range closes in on the box of the best few completed trials, plus a margin."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from service.domain.rounds import RangeEvidence, Verdict
from service.domain.space import Categorical, Numeric, Parameter, Scalar, Space, identity
from service.domain.surroundings import ROUNDING, best_first, surroundings, width
from service.domain.trial import Goal, Observation
from service.narrowing.base import Demand
from service.registry import PartSettings

NOTICEABLE = 0.01


class LeadersSettings(PartSettings):
    """How many trials lead, and how much room to leave around them.

    The margin is a fraction of the width of their box on the parameter's scale; where they all
    have the same value, of the width of the range in force.
    """

    top: Annotated[int, Field(ge=1, le=10_000)] = 5
    margin: Annotated[float, Field(ge=0, le=10)] = 0.1


class Leaders:
    """The rule that people apply by eye; it weighs no chance, so it has no confidence to state."""

    name = "leaders"
    description = "Narrows to the box of the best completed trials plus a margin; it cannot tell a pattern from luck."
    Settings = LeadersSettings

    def demand(self, settings: LeadersSettings) -> Demand:
        return Demand(settings.top, best=True)

    def judge(
        self, space: Space, history: Sequence[Observation], goal: Goal, settings: LeadersSettings
    ) -> Mapping[str, RangeEvidence]:
        best = best_first(space, history, goal)[: settings.top]
        return {name: _judge(name, parameter, best, settings) for name, parameter in space.parameters.items()}


def _judge(name: str, parameter: Parameter, best: Sequence[Observation], settings: LeadersSettings) -> RangeEvidence:
    if len(best) < settings.top:
        have = f"{len(best)} completed {'trial lies' if len(best) == 1 else 'trials lie'} in the box in force"
        return _keep(parameter, best, f"Too few: {have}, and the rule looks at the best {settings.top}.")
    using = [seen for seen in best if name in seen.params]
    if not using:
        return _keep(
            parameter, best, f"The {_trials(best)} did not use this parameter, so there is nothing to judge it by."
        )
    if isinstance(parameter, Categorical):
        return _judge_choices(parameter, using, [seen.params[name] for seen in using])
    return _judge_range(parameter, using, [float(seen.params[name]) for seen in using], settings.margin)


def _judge_choices(parameter: Categorical, using: Sequence[Observation], values: Sequence[Scalar]) -> RangeEvidence:
    used = {identity(value) for value in values}
    choices = [choice for choice in parameter.choices if identity(choice) in used]
    if len(choices) == parameter.count:
        return _keep(parameter, using, f"The {_trials(using)} used every choice that there is.")
    names = ", ".join(repr(choice) for choice in choices)
    reason = f"The {_trials(using)} used only {names} of the {parameter.count} choices."
    return _narrow(replace(parameter, choices=choices), using, reason)


def _judge_range(
    parameter: Numeric, using: Sequence[Observation], values: Sequence[float], margin: float
) -> RangeEvidence:
    if width(parameter) == 0:
        return _keep(parameter, using, f"The range has no width, it holds {parameter.low:.4g} only.")
    where = f"The {_trials(using)} lay {_extent(min(values), max(values))}"
    low, high = surroundings(parameter, values, margin)
    share = (parameter.position(high) - parameter.position(low)) / width(parameter)
    if share <= ROUNDING:
        return _keep(parameter, using, f"{where}, and around them this margin would leave no range at all.")
    with_margin = f"with a margin of {margin:.0%} that is {low:.4g} to {high:.4g}"
    if share > 1 - NOTICEABLE:
        return _keep(parameter, using, f"{where}; {with_margin}, which leaves hardly anything to cut off.")
    reason = f"{where}; {with_margin}, {share:.1%} of the range {_on_scale(parameter)}."
    return _narrow(parameter.within(low, high), using, reason)


def _trials(trials: Sequence[Observation]) -> str:
    return "best trial" if len(trials) == 1 else f"best {len(trials)} trials"


def _extent(lowest: float, highest: float) -> str:
    return f"at {lowest:.4g}" if lowest == highest else f"between {lowest:.4g} and {highest:.4g}"


def _on_scale(parameter: Numeric) -> str:
    return "on its log scale" if parameter.scale == "log" else "in force"


def _keep(parameter: Parameter, trials: Sequence[Observation], reason: str) -> RangeEvidence:
    return _evidence(Verdict.KEEP, parameter, trials, reason)


def _narrow(proposed: Parameter, trials: Sequence[Observation], reason: str) -> RangeEvidence:
    return _evidence(Verdict.NARROW, proposed, trials, reason)


def _evidence(verdict: Verdict, proposed: Parameter, trials: Sequence[Observation], reason: str) -> RangeEvidence:
    numbers = tuple(seen.number for seen in trials)
    return RangeEvidence(verdict=verdict, proposed=proposed, reason=reason, trials=numbers)


POLICY = Leaders()
