"""The optimizers, one file each; a new file in this folder registers itself."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from trainer.arrays import Floats
from trainer.optimizers.base import Optimizer
from trainer.registry import classes

__all__ = ["Optimizer", "create", "known"]


@cache
def known() -> Mapping[str, type[Optimizer]]:
    """The optimizers by name."""
    return MappingProxyType({kind.name: kind for kind in classes(__name__, Optimizer)})


def create(name: str, parameters: Floats, **settings: float) -> Optimizer:
    """Start the named optimizer on a vector of parameters, with those of the settings that it has.

    Raises KeyError for a name that is not known.
    """
    kind = known()[name]
    return kind(parameters, **{setting: settings[setting] for setting in kind.settings if setting in settings})
