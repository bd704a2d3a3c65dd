"""TPE search: Optuna's tree-structured Parzen estimator, which tries what good trials do and bad ones do not."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from service.domain.space import Space
from service.domain.trial import Goal, Observation
from service.registry import PartSettings
from service.search.sampling import SamplerSearch, best_and_latest

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

MOST_KNOWN = 2_000


class TPESettings(PartSettings):
    """Named as in Optuna's TPESampler."""

    n_startup_trials: Annotated[int, Field(ge=1, le=10_000, description="finished trials before it models any")] = 10
    n_ei_candidates: Annotated[int, Field(ge=1, le=1_000, description="points that are compared for each trial")] = 24
    multivariate: Annotated[bool, Field(description="model parameters together, not each by itself")] = True
    constant_liar: Annotated[bool, Field(description="take trials that wait or run for bad ones")] = True


class TPESearch(SamplerSearch[TPESettings]):
    """Parameters that are active together are modelled together; a pruned trial ranks below all completed ones."""

    name = "tpe"
    description = "Optuna's TPESampler: compares how densely good and bad trials lie; made for many parameters."
    Settings = TPESettings
    flat = False

    def sampler(self, space: Space, settings: TPESettings, seed: int) -> "BaseSampler":
        from optuna.samplers import TPESampler

        return TPESampler(seed=seed, group=settings.multivariate and bool(space.ties), **settings.model_dump())

    def known(self, history: Sequence[Observation], goal: Goal) -> Sequence[Observation]:
        return best_and_latest(history, goal, MOST_KNOWN)


ALGORITHM = TPESearch()
