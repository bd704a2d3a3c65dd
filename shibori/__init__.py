"""Shibori's public names, each loaded when it is first asked for."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from client import Client
    from worker.stopping import Stopped
    from worker.trial import Trial, objective

__all__ = ["Client", "Stopped", "Trial", "objective"]

_HOMES = {"Client": "client", "Stopped": "worker.stopping", "Trial": "worker.trial", "objective": "worker.trial"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
