"""Finds the parts that register themselves by standing in a package, and says what their settings have in common."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from pydantic import BaseModel, ConfigDict


class PartSettings(BaseModel):
    """The settings of an algorithm, a policy or a rule: nothing unknown, nothing converted, nothing changed later."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def parts(package: str, constant: str) -> tuple[Any, ...]:
    """What the modules of a package hold under the name of a constant, by the parts' own names."""
    names = [module.name for module in iter_modules(import_module(package).__path__)]
    modules = [import_module(f"{package}.{name}") for name in names]
    found = [getattr(module, constant) for module in modules if hasattr(module, constant)]
    if len({part.name for part in found}) < len(found):
        raise ValueError(f"two parts of {package} have the same name: {sorted(part.name for part in found)}")
    return tuple(sorted(found, key=lambda part: part.name))
