"""The optimizers, one file each; a new file in this folder registers itself."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from trainer.arrays import Floats
from trainer.optimizers.base import Optimizer, Setting
from trainer.registry import by_name, classes

__all__ = ["Optimizer", "Setting", "create", "known", "settings"]


@cache
def known() -> Mapping[str, type[Optimizer]]:
    """The optimizers by name."""
    return MappingProxyType(by_name(classes(__name__, Optimizer)))


def settings() -> Mapping[str, Mapping[str, Setting]]:
    """What optimizers can be told: by the name of the setting, each optimizer that has it with its own."""
    names = sorted({setting for kind in known().values() for setting in kind.settings})
    return {
        setting: {name: kind.settings[setting] for name, kind in known().items() if setting in kind.settings}
        for setting in names
    }


def create(
    name: str, parameters: Floats, *, weight_decay: float = 0.0, decaying: int | None = None, **told: float
) -> Optimizer:
    """Start the named optimizer on a vector of parameters, with those of the settings told that it has.

    Raises KeyError for a name that is not known.
    """
    kind = known()[name]
    own: dict[str, Any] = {setting: told[setting] for setting in kind.settings if setting in told}
    if kind.decays:
        own |= {"weight_decay": weight_decay, "decaying": decaying}
    return kind(parameters, **own)
