"""The objectives that ship with the service, one file each; a new file in this folder registers itself."""

from functools import cache

from trainer.errors import DataError, Diverged, NotEnoughData
from trainer.objectives.base import Objective, Result
from trainer.registry import classes

__all__ = ["DataError", "Diverged", "NotEnoughData", "Objective", "Result", "find", "known"]


@cache
def known() -> tuple[Objective, ...]:
    """The objectives, in the order of their files' names."""
    return tuple(kind() for kind in classes(__name__, Objective))


def find(name: str) -> Objective | None:
    """The objective of that name, or None."""
    return next((objective for objective in known() if objective.name == name), None)
