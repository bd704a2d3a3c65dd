"""What an objective is: settings to check, and training code to run, one epoch at a time."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel

from trainer.errors import DataError


@dataclass(frozen=True, slots=True)
class Result:
    """The metrics of the epoch that counts, and the number of samples behind those that are accuracies.

    weights packs what was learned by then into bytes, for whoever wants to keep it.
    """

    metrics: Mapping[str, float]
    samples: Mapping[str, int]
    weights: Callable[[], bytes] | None = field(default=None, compare=False)


class Objective(Protocol):
    """Something to search the settings of; a class in this folder that derives from it registers itself.

    metrics names what it reports, the one that is usually searched for first. Settings is a frozen model that
    forbids extra fields; each field has a default, bounds and a description. has_test_set says whether there is one,
    as far as can be told without looking; then final_test is more than what stands here.
    """

    name: ClassVar[str]
    metrics: ClassVar[tuple[str, ...]]
    Settings: ClassVar[type[BaseModel]]
    has_test_set: ClassVar[bool] = False

    def train(self, settings: Any, *, seed: int, split_seed: int) -> Generator[dict[str, float], None, Result]:
        """Train with an instance of Settings, and hand out the epoch's number and metrics after each.

        seed decides all that is random but the split into training and validation data, which split_seed
        decides alone. Raises Diverged and DataError. May be closed after any epoch.
        """
        ...

    def final_test(
        self,
        settings: Any,  # noqa: ARG002
        *,
        seed: int,  # noqa: ARG002
        split_seed: int,  # noqa: ARG002
        ends: Sequence[Mapping[str, float]],  # noqa: ARG002
    ) -> Generator[dict[str, float], None, Result]:
        """Train on what train would train and validate on, together, and open the test set; it has test_accuracy.

        ends are the last epochs that train handed out for these settings, from which to take what validation decided.
        """
        raise DataError(f"{self.name} has no test set")
