"""The narrowing policies: a module here with a constant POLICY has registered it."""

from functools import cache
from typing import Any

from service.narrowing.base import Policy
from service.registry import parts


@cache
def known() -> tuple[Policy[Any], ...]:
    """Every policy, by name."""
    return parts(__name__, "POLICY")


def find(name: str) -> Policy[Any] | None:
    """The policy of a name, or None where there is none."""
    return next((policy for policy in known() if policy.name == name), None)
