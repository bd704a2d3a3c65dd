"""Find the classes that the modules of a package define, so that a new file registers itself."""

from collections.abc import Iterable, Iterator
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any


def modules(package: str) -> Iterator[ModuleType]:
    """Import and hand out the modules of a package, in the order of their names."""
    found = iter_modules(import_module(package).__path__)
    for name in sorted(module.name for module in found if not module.ispkg):
        yield import_module(f"{package}.{name}")


def classes(package: str, kind: type) -> Iterator[type[Any]]:
    """Hand out the classes derived from kind, each from the module that defines it."""
    for module in modules(package):
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == module.__name__ and kind in value.__mro__[1:]:
                yield value


def by_name(kinds: Iterable[type[Any]]) -> dict[str, type[Any]]:
    """The same classes by the names they give themselves; raises ValueError where two have the same."""
    named: dict[str, type[Any]] = {}
    for kind in kinds:
        if named.setdefault(kind.name, kind) is not kind:
            raise ValueError(f"{kind.__module__} and {named[kind.name].__module__} both have the name {kind.name!r}")
    return named
