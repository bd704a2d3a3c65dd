"""Algorithms that need more packages than every server has, and what to say where they are missing."""

from importlib.util import find_spec
from typing import Any, Protocol, runtime_checkable

from service.search.base import Algorithm


@runtime_checkable
class Demanding(Protocol):
    """An algorithm that cannot be asked without some packages."""

    packages: tuple[str, ...]
    installed_by: str
    """The command that brings them."""


def packages_of(algorithm: Algorithm[Any]) -> tuple[str, ...]:
    return algorithm.packages if isinstance(algorithm, Demanding) else ()


def lack(algorithm: Algorithm[Any]) -> str | None:
    """Why this server cannot ask an algorithm, and the way out; None where it can."""
    missing = [package for package in packages_of(algorithm) if find_spec(package) is None]
    if not missing or not isinstance(algorithm, Demanding):
        return None
    return (
        f"{algorithm.name!r} needs {' and '.join(missing)}, which this server does not have; "
        f"where it runs: {algorithm.installed_by}, then start it again"
    )
