"""The search algorithms: a module here with a constant ALGORITHM has registered it."""

from functools import cache
from typing import Any

from service.registry import parts
from service.search.base import Algorithm
from service.search.packages import lack


@cache
def known() -> tuple[Algorithm[Any], ...]:
    """Every algorithm, by name."""
    return parts(__name__, "ALGORITHM")


def available() -> tuple[Algorithm[Any], ...]:
    """Those whose packages are installed here."""
    return tuple(algorithm for algorithm in known() if lack(algorithm) is None)


def find(name: str) -> Algorithm[Any] | None:
    """The algorithm of a name, or None where there is none."""
    return next((algorithm for algorithm in known() if algorithm.name == name), None)
