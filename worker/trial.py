"""What a user's own objective is handed, and the mark that names it."""

from collections.abc import Callable, Mapping
from typing import TypeVar, overload

from pydantic import JsonValue

from service.protocol import ClaimedTrial
from worker.session import Session
from worker.stopping import Stopped

NAME = "__shibori_name__"
FINAL_TEST = "__shibori_final_test__"
Function = TypeVar("Function", bound=Callable[..., object])


class Trial:
    """One set of values to try.

    `params` are the values of the search; `settings` are those of the study with `params` over them.
    `seed` differs between trials, `split_seed` is the same for all trials of a study, unless they are confirmed on
    fresh splits. `purpose` is search, confirmation or final_test; the last is to train on training and validation
    data together and to return the value on test data, and is given only to what is marked to do so.
    """

    def __init__(self, claimed: ClaimedTrial, session: Session) -> None:
        self.number = claimed.number
        self.params: Mapping[str, bool | int | float | str] = dict(claimed.params)
        self.settings: Mapping[str, JsonValue] = {**claimed.settings, **claimed.params}
        self.seed = claimed.seed
        self.split_seed = claimed.split_seed
        self.purpose: str = claimed.purpose.value
        self._session = session

    def report(self, epoch: int, **metrics: float) -> None:
        """Adds an epoch, counted from 1, to the learning curve; raises `Stopped` where the trial shall end."""
        self._session.report({"epoch": epoch, **metrics})

    @property
    def should_stop(self) -> bool:
        """Whether the trial shall end; what is returned afterwards is not recorded."""
        try:
            self._session.check()
        except Stopped:
            return True
        return False


@overload
def objective(function: Function) -> Function: ...
@overload
def objective(*, name: str | None = None, final_test: bool = False) -> Callable[[Function], Function]: ...
def objective(function: Function | None = None, *, name: str | None = None, final_test: bool = False) -> object:
    """Marks a function as an objective, under its own name or another.

    It takes a `Trial` and returns the value, or the value and the number of validation samples
    behind it; or it is a generator of epochs, as in {"epoch": 1, "train_loss": 0.5}, that ends
    with `return value`. With final_test it looks at the trial's purpose, and does the final test where it is that.
    """

    def mark(marked: Function) -> Function:
        setattr(marked, NAME, name or name_of(marked))
        setattr(marked, FINAL_TEST, final_test)
        return marked

    return mark if function is None else mark(function)


def name_of(function: Callable[..., object]) -> str:
    """The name of the objective that a function is."""
    return str(getattr(function, NAME, None) or getattr(function, "__name__", type(function).__name__))


def does_final_tests(function: Callable[..., object]) -> bool:
    """Whether a function is marked as one that does final tests."""
    return bool(getattr(function, FINAL_TEST, False))
