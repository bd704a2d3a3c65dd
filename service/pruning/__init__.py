"""The rules of early stopping: a module here with a constant RULE has registered it."""

from functools import cache
from typing import Any

from service.pruning.base import Rule
from service.registry import parts


@cache
def known() -> tuple[Rule[Any], ...]:
    """Every rule, by name."""
    return parts(__name__, "RULE")


def find(name: str) -> Rule[Any] | None:
    """The rule of a name, or None where there is none."""
    return next((rule for rule in known() if rule.name == name), None)
