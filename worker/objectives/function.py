"""A user's own objective: a Python function, named as module:function."""

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from service.protocol import ClaimedTrial
from worker.objectives.results import value_of
from worker.outcome import Unusable, Value
from worker.session import Session, drain
from worker.trial import Trial, does_final_tests, name_of

WAY_OUT = (
    "where trial.purpose is final_test, train on training and validation data together, return the value on test data, "
    "mark the function with @shibori.objective(final_test=True), and retry this trial."
)


class ObjectiveNotFound(Exception):
    """What `--objective` names cannot be loaded."""


@dataclass(frozen=True, slots=True)
class FunctionObjective:
    function: Callable[[Trial], object]

    @property
    def name(self) -> str:
        return name_of(self.function)

    def run(self, trial: ClaimedTrial, session: Session) -> Value:
        if trial.purpose == "final_test" and not does_final_tests(self.function):
            raise Unusable(f"The objective {self.name!r} does no final test: {WAY_OUT}")
        returned = self.function(Trial(trial, session))
        return value_of(drain(returned, session) if inspect.isgenerator(returned) else returned)


def load(reference: str) -> FunctionObjective:
    """Finds module:function, looking in the working directory after the installed packages."""
    module, colon, attribute = reference.partition(":")
    if not (module and colon and attribute):
        raise ObjectiveNotFound(f"--objective is module:function, as in train:objective, got {reference!r}")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)
    try:
        found = getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise ObjectiveNotFound(f"--objective {reference}: {error} (looked in {here} too)") from error
    except AttributeError as error:
        raise ObjectiveNotFound(f"--objective {reference}: {error}") from error
    if not callable(found):
        raise ObjectiveNotFound(f"--objective {reference}: {attribute} is no function but {found!r:.100}")
    return FunctionObjective(found)
