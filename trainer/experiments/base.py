"""What an experiment is: a known outcome, and a run that draws its figure and says what came out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from matplotlib.figure import Figure

Number = float | int | Sequence[float]


@dataclass(frozen=True, slots=True)
class Finding:
    """Numbers as they were measured, and each statement of the known outcome with whether it came out."""

    measured: Mapping[str, Number]
    statements: Mapping[str, bool]

    @property
    def agrees(self) -> bool:
        """Whether all of it came out."""
        return all(self.statements.values())


class Experiment:
    """One experiment; a class in this folder that derives from it registers itself.

    setting says in a sentence what is done, size is that of the figure in inches.
    """

    name: ClassVar[str]
    setting: ClassVar[str]
    size: ClassVar[tuple[float, float]] = (7.0, 4.5)

    def run(self, figure: Figure) -> Finding:
        """Do it, and draw it; raises DataError where data is missing."""
        raise NotImplementedError
