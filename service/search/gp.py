"""GP search: Optuna's Gaussian process sampler, which tries where improvement is most expected."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from service.domain.space import Space
from service.domain.status import TrialStatus
from service.domain.trial import Goal, Observation
from service.registry import PartSettings
from service.search.sampling import SamplerSearch, best_and_latest

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

MOST_KNOWN = 300
TOLERANCE = 5.0


class GPSettings(PartSettings):
    """Named as in Optuna's GPSampler."""

    n_startup_trials: Annotated[int, Field(ge=1, le=10_000, description="completed trials before it models any")] = 10
    deterministic_objective: Annotated[bool, Field(description="whether values are free of noise")] = False


class GPSearch(SamplerSearch[GPSettings]):
    """Only completed trials count; a value far below the median is raised, lest it flatten all that matters."""

    name = "gp"
    description = "Optuna's GPSampler: a Gaussian process with a length for each parameter; slow, needs few trials."
    Settings = GPSettings
    packages = ("optuna", "torch")
    installed_by = "pip install 'shibori[optuna]' torch"
    flat = True
    asked = 2

    def sampler(self, space: Space, settings: GPSettings, seed: int) -> "BaseSampler":  # noqa: ARG002
        from optuna.samplers import GPSampler

        return GPSampler(seed=seed, warn_independent_sampling=False, **settings.model_dump())

    def known(self, history: Sequence[Observation], goal: Goal) -> Sequence[Observation]:
        completed = [seen for seen in history if seen.status is TrialStatus.COMPLETED]
        return _scaled(best_and_latest(completed, goal, MOST_KNOWN), goal)


def _scaled(seen: Sequence[Observation], goal: Goal) -> list[Observation]:
    """Values between 0 and 1, so that no size of them is too large or too small for the model."""
    # Halved, because the difference of two numbers near the largest that there are is infinite.
    halves = [goal.better(one.value or 0.0) / 2 for one in seen]
    if not halves or (top := max(halves)) == min(halves):
        return [replace(one, value=0.0) for one in seen]
    middle = median(halves)
    bottom = min(halves) if top == middle else max(min(halves), middle - TOLERANCE * (top - middle))
    shares = ((max(half, bottom) - bottom) / (top - bottom) for half in halves)
    return [replace(one, value=goal.better(share)) for one, share in zip(seen, shares, strict=True)]


ALGORITHM = GPSearch()
