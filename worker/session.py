"""What an objective may do while it runs, and the shape of all that can run a trial."""

from collections.abc import Generator, Mapping
from typing import Any, Protocol, TypeVar

from service.protocol import ClaimedTrial
from worker.outcome import Unusable, Value

Result = TypeVar("Result")


class Session(Protocol):
    """The line from a running objective to the server."""

    def report(self, epoch: Mapping[str, object]) -> None:
        """Takes an epoch of the learning curve; raises `Stopped` where the trial shall end."""

    def check(self) -> None:
        """Raises `Stopped` where the trial shall end."""


class Runnable(Protocol):
    """An objective, wherever it comes from."""

    @property
    def name(self) -> str: ...

    def run(self, trial: ClaimedTrial, session: Session) -> Value: ...


def drain(curve: Generator[object, Any, Result], session: Session) -> Result:
    """Reports what a generator yields and hands out what it returns; closes it when it is stopped."""
    try:
        while True:
            session.report(_mapping(next(curve)))
    except StopIteration as end:
        result: Result = end.value
        return result
    finally:
        curve.close()


def _mapping(epoch: object) -> Mapping[str, object]:
    if not isinstance(epoch, Mapping):
        raise Unusable(f'An objective yields epochs as in {{"epoch": 1, "train_loss": 0.5}}, got {epoch!r:.200}.')
    return epoch
