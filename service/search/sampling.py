"""What the algorithms share that ask a sampler of Optuna's: a study of Optuna's made anew for each question."""

import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from service.domain.space import Params, Space
from service.domain.status import TrialStatus
from service.domain.trial import Goal, Observation
from service.registry import PartSettings
from service.search.base import Answer, Question
from service.search.random import draw, generator
from service.search.terms import Terms
from service.search.untried import Point, distinct_points, first_untried

if TYPE_CHECKING:
    from optuna import Study
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

SettingsT = TypeVar("SettingsT", bound=PartSettings)

DRAWN = 100


class SamplerSearch(ABC, Generic[SettingsT]):
    """Optuna's sampler is told of the trials that lie in the box, and asked for points until one is new.

    Those that wait or run are running ones to it. Failed trials tell it nothing, as in Optuna.
    """

    instant: ClassVar = False
    looks_back: ClassVar = True
    packages: tuple[str, ...] = ("optuna",)
    installed_by = "pip install 'shibori[optuna]'"
    flat: ClassVar[bool]
    """Whether the sampler wants a value of every parameter, active or not."""
    asked = 8
    """How often it is asked for a point that is new before chance is."""

    @abstractmethod
    def sampler(self, space: Space, settings: SettingsT, seed: int) -> "BaseSampler": ...

    def known(self, history: Sequence[Observation], goal: Goal) -> Sequence[Observation]:  # noqa: ARG002
        """What the sampler is told, of trials in the order of their numbers."""
        return history

    def tell(self, study: "Study", trials: Sequence["FrozenTrial"], space: Space, settings: SettingsT) -> None:  # noqa: ARG002
        study.add_trials(trials)

    def suggest(self, question: Question, settings: SettingsT, count: int) -> Answer:
        with quiet():
            terms = Terms.of(question.space, flat=self.flat)
            study = self._study(question, settings, terms)

            def propose(number: int, _: object) -> Iterator[Point]:
                yield from (_ask(study, terms) for _ in range(self.asked))
                chance = generator(question.seed, number)
                yield from (draw(question.space, chance) for _ in range(DRAWN))

            return first_untried(question, count, propose)

    def capacity(self, space: Space, settings: SettingsT, planned: int) -> int | None:  # noqa: ARG002
        return distinct_points(space)

    def faults(self, space: Space, settings: SettingsT) -> list[tuple[str, str]]:  # noqa: ARG002
        return []

    def _study(self, question: Question, settings: SettingsT, terms: Terms) -> "Study":
        from optuna import create_study

        seed = int(generator(question.seed, question.number).integers(2**31))
        sampler = self.sampler(question.space, settings, seed)
        study = create_study(direction=question.goal.value, sampler=sampler)
        telling = [seen for seen in question.history if _tells(seen) and not question.space.faults(seen.params)]
        known = self.known(sorted(telling, key=lambda seen: seen.number), question.goal)
        self.tell(study, [_finished(terms, seen) for seen in known], question.space, settings)
        study.add_trials(_running(terms, params) for params in question.pending if not question.space.faults(params))
        return study


@contextmanager
def quiet() -> Iterator[None]:
    """Without what Optuna tells people at their terminals, here only and only so long."""
    from optuna import logging
    from optuna.exceptions import ExperimentalWarning

    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            yield
    finally:
        logging.set_verbosity(verbosity)


def _ask(study: "Study", terms: Terms) -> Point:
    """What the sampler would try next; from then on it takes that to be running."""
    from optuna.trial import TrialState

    asked = study.ask(terms.distributions_of(terms.each))
    study.tell(asked, state=TrialState.FAIL)
    point = terms.point(asked.params)
    study.add_trial(_running(terms, point))
    return point


def _running(terms: Terms, params: Params) -> "FrozenTrial":
    from optuna.trial import TrialState, create_trial

    told = terms.told(params)
    return create_trial(state=TrialState.RUNNING, params=told, distributions=terms.distributions_of(told))


def _finished(terms: Terms, seen: Observation) -> "FrozenTrial":
    from optuna.trial import TrialState, create_trial

    told = terms.told(seen.params)
    used = terms.distributions_of(told)
    if seen.status is TrialStatus.COMPLETED:
        return create_trial(value=seen.value, params=told, distributions=used)
    last = {} if seen.value is None else {0: seen.value}
    return create_trial(state=TrialState.PRUNED, params=told, distributions=used, intermediate_values=last)


def best_and_latest(history: Sequence[Observation], goal: Goal, most: int) -> Sequence[Observation]:
    """All trials, or the best half and the latest of so many as a sampler can take in; in the order given."""
    if len(history) <= most:
        return history
    ranked = sorted((seen for seen in history if _is_completed(seen)), key=lambda seen: -goal.better(seen.value or 0.0))
    best = {seen.number for seen in ranked[: most // 2]}
    latest = {seen.number for seen in history if seen.number not in best}
    kept = best | set(sorted(latest)[len(best) - most :])
    return [seen for seen in history if seen.number in kept]


def _tells(seen: Observation) -> bool:
    return (seen.status is TrialStatus.PRUNED and not _is_no_number(seen.value)) or _is_completed(seen)


def _is_completed(seen: Observation) -> bool:
    return seen.status is TrialStatus.COMPLETED and seen.value is not None and not _is_no_number(seen.value)


def _is_no_number(value: float | None) -> bool:
    return value is not None and math.isnan(value)
