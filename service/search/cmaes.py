"""CMA-ES search: Optuna's sampler of an evolution strategy, which shifts and shapes one normal distribution."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from service.domain.space import Categorical, Space
from service.registry import PartSettings
from service.search.sampling import SamplerSearch

if TYPE_CHECKING:
    from optuna import Study
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

FEWEST = 4
MOST_TOLD = 2_000


class CmaEsSettings(PartSettings):
    """Named as in Optuna's CmaEsSampler."""

    n_startup_trials: Annotated[int, Field(ge=1, le=10_000, description="completed trials before it evolves")] = 1
    popsize: Annotated[int, Field(ge=FEWEST, le=1_000)] | None = Field(
        None, description="completed trials in a generation; by default 4 + 3 ln(numeric parameters)"
    )
    use_separable_cma: Annotated[bool, Field(description="a diagonal covariance: for many parameters")] = False
    lr_adapt: Annotated[bool, Field(description="adapts its learning rate: for noisy values and many optima")] = False
    independent_sampler: Annotated[
        Literal["random", "tpe"], Field(description="what chooses among categories; Optuna's default is random")
    ] = "tpe"


class CmaEsSearch(SamplerSearch[CmaEsSettings]):
    """All that it has learned is learned again for each question, generation by generation, from the completed trials.

    In the order of their numbers, whoever proposed them: so no trial is lost to it that ran beside others.
    """

    name = "cmaes"
    description = "Optuna's CmaEsSampler: an evolution strategy for numeric parameters and some hundreds of trials."
    Settings = CmaEsSettings
    packages = ("optuna", "cmaes")
    flat = True

    def sampler(self, space: Space, settings: CmaEsSettings, seed: int) -> "BaseSampler":
        from optuna.samplers import CmaEsSampler, RandomSampler, TPESampler

        return CmaEsSampler(
            seed=seed,
            n_startup_trials=settings.n_startup_trials,
            popsize=_population(space, settings),
            use_separable_cma=settings.use_separable_cma and _dimensions(space) > 1,
            lr_adapt=settings.lr_adapt,
            independent_sampler=(TPESampler if settings.independent_sampler == "tpe" else RandomSampler)(seed=seed),
            warn_independent_sampling=False,
        )

    def tell(self, study: "Study", trials: Sequence["FrozenTrial"], space: Space, settings: CmaEsSettings) -> None:
        from optuna.trial import TrialState

        size = _population(space, settings)
        completed = _latest([trial for trial in trials if trial.state is TrialState.COMPLETE], size)
        # The first belongs to no generation: before it the sampler has no parameters to begin with.
        study.add_trials(completed[:1])
        for generation in _batches(completed[1:], size):
            state = _state_of_next(study, generation[0])
            for trial in generation:
                trial.system_attrs = state
            study.add_trials(generation)

    def faults(self, space: Space, settings: CmaEsSettings) -> list[tuple[str, str]]:
        faults = []
        if _dimensions(space) == 0:
            faults.append(("", "cmaes needs a numeric parameter, and this space has none; use tpe"))
        if settings.use_separable_cma and settings.lr_adapt:
            faults.append(("lr_adapt", "does not go with use_separable_cma; set one of the two"))
        return faults


def _state_of_next(study: "Study", example: "FrozenTrial") -> dict[str, Any]:
    """What the sampler notes of the next trial: its generation, and the strategy that has learned from those before."""
    from optuna.trial import TrialState

    asked = study.ask(example.distributions)
    state = study.get_trials(deepcopy=False)[asked.number].system_attrs
    study.tell(asked, state=TrialState.FAIL)
    return state


def _latest(trials: Sequence["FrozenTrial"], size: int) -> Sequence["FrozenTrial"]:
    """Without the oldest where they are too many, by whole generations: the others stay as they were."""
    excess = max(0, len(trials) - MOST_TOLD)
    return trials[-(-excess // size) * size :]


def _batches(trials: Sequence["FrozenTrial"], size: int) -> Iterator[Sequence["FrozenTrial"]]:
    return (trials[start : start + size] for start in range(0, len(trials), size))


def _population(space: Space, settings: CmaEsSettings) -> int:
    return settings.popsize or FEWEST + math.floor(3 * math.log(max(_dimensions(space), 1)))


def _dimensions(space: Space) -> int:
    return sum(not isinstance(one, Categorical) and one.count != 1 for one in space.parameters.values())


ALGORITHM = CmaEsSearch()
