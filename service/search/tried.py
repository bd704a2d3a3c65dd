"""Points that were tried, as a model sees them: which lead, among all or among those of one choice."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from service.domain.space import Params
from service.search.axes import Flags, Floats
from service.search.branches import Branch
from service.search.features import Features

LEADING = 8


@dataclass(frozen=True)
class Tried:
    """Points, their columns and what is expected there: a result by itself may be luck."""

    features: Features
    params: Sequence[Params]
    columns: Floats
    means: Floats

    @property
    def best(self) -> float:
        return float(self.means.max())

    @cached_property
    def leaders(self) -> Floats:
        """The places of the points that are expected to be the best, in the unit cube."""
        leading = [self.params[place] for place in np.argsort(-self.means, kind="stable")[:LEADING]]
        encoded = map(self.features.space.encode, leading)
        return np.clip([[units[name] for name in self.features.axes] for units in encoded], 0.0, 1.0)

    def of(self, branch: Branch) -> Self:
        """Those of one choice; all, while it was never made."""
        made = branch.made(self.features, self.columns)
        return self._where(made) if made.any() else self

    def _where(self, kept: Flags) -> Self:
        params = [params for params, keep in zip(self.params, kept, strict=True) if keep]
        return replace(self, params=params, columns=self.columns[kept], means=self.means[kept])
