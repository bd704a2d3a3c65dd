"""The figures of a study, one file each: a module here with a constant FIGURE has registered it."""

from functools import cache

from service.figures.base import Figure
from service.registry import parts


@cache
def known() -> tuple[Figure, ...]:
    """Every figure, by name."""
    return parts(__name__, "FIGURE")


def find(name: str) -> Figure | None:
    """The figure of a name, or None where there is none."""
    return next((figure for figure in known() if figure.name == name), None)
