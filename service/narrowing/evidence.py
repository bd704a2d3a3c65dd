"""Evidence: a range closes in, opens or stays by what finished trials can tell about where the best lies."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from service.domain.rounds import RangeEvidence
from service.domain.space import Categorical, Parameter, Space
from service.domain.trial import Goal, Observation
from service.narrowing import reasons
from service.narrowing.base import Demand
from service.narrowing.reading import Reading, nearby, read
from service.narrowing.verdicts import Case, judge_choices, judge_range, keep
from service.registry import PartSettings

SPARE = 2
"""So many times the fewest are asked for, since some lie elsewhere or do not use a parameter."""


class EvidenceSettings(PartSettings):
    """How sure a change of a range must be, and how many trials it takes to say anything.

    Before a range is changed, the values must be `1 - confidence` times as likely, or less, if the
    parameter made no difference; what is cut off must hold the best with at most that probability.
    """

    confidence: Annotated[float, Field(ge=0.5, le=0.999)] = 0.95
    fewest: Annotated[int, Field(ge=5, le=10_000)] = 20


class Evidence:
    """Draws functions that the trials allow, and asks each of them where it is best.

    The confidence is, of a narrower range or of one that is kept though it matters, the share of these
    functions that are best in it; of a wider one, the share of those that are best in the outer tenth at
    that end or beyond it; of a range that is kept because nothing speaks for its parameter's mattering, how
    likely the values are without it as a share of how likely they are with it. With too few trials it is 0.
    """

    name = "evidence"
    description = (
        "Narrows to where the best may lie, widens where it lies beyond an end, and keeps what the data cannot tell."
    )
    Settings = EvidenceSettings

    def demand(self, settings: EvidenceSettings) -> Demand:
        # Not the best: of very many those are the luckiest too, and show a surface that is not there.
        return Demand(SPARE * settings.fewest)

    def judge(
        self, space: Space, history: Sequence[Observation], goal: Goal, settings: EvidenceSettings
    ) -> Mapping[str, RangeEvidence]:
        trials = nearby(space, history)
        enough = len(trials) >= settings.fewest
        reading = read(space, trials, goal, 1 - settings.confidence) if enough else None
        return {
            name: _judge(name, parameter, trials, reading, settings) for name, parameter in space.parameters.items()
        }


def _judge(
    name: str,
    parameter: Parameter,
    trials: Sequence[Observation],
    reading: Reading | None,
    settings: EvidenceSettings,
) -> RangeEvidence:
    using = [one for one in trials if name in one.params]
    if len(using) < settings.fewest:
        return keep(parameter, using, reasons.too_few(len(using), settings.fewest), 0.0)
    if parameter.count == 1:
        return keep(parameter, using, reasons.single(parameter), 1.0)
    if reading is None:
        return keep(parameter, using, reasons.alike(len(trials)), 1.0)
    return _weigh(name, parameter, reading, settings.confidence)


def _weigh(name: str, parameter: Parameter, reading: Reading, confidence: float) -> RangeEvidence:
    leaders = [one for one in reading.leaders if name in one.params]
    chance = reading.chances.get(name)
    if chance is None:
        return keep(parameter, leaders, reasons.not_looked_at(), 1.0)
    if chance > 1 - confidence or reading.optima is None or not reading.optima.uses(name):
        reason = reasons.no_difference(reasons.leading(name, parameter, leaders), chance)
        return keep(parameter, leaders, reason, chance)
    case = Case(name, leaders, reading.trials, reading.optima, confidence)
    return judge_choices(parameter, case) if isinstance(parameter, Categorical) else judge_range(parameter, case)


POLICY = Evidence()
