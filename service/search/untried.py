"""Points that a study does not have yet."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import TypeAlias

from service.domain.space import PointKey, Scalar, Space, key_of
from service.search.base import Answer, Question
from service.search.lattice import every_point

Point: TypeAlias = dict[str, Scalar]
Propose: TypeAlias = Callable[[int, Mapping[PointKey, Point]], Iterable[Point]]
"""What to try for a trial of a number, best first, knowing what was chosen for those before it."""


def first_untried(question: Question, count: int, propose: Propose) -> Answer:
    """For each number the first point that is new, of those proposed or else of all; fewer where none is left."""
    chosen: dict[PointKey, Point] = {}
    for number in range(question.number, question.number + count):
        candidates = _and_all_others(propose(number, chosen), question.space)
        point = next(_new(candidates, chosen, question.taken), None)
        if point is None:
            break
        chosen[key_of(point)] = point
    return Answer(tuple(chosen.values()), question.position + len(chosen))


def distinct_points(space: Space) -> int | None:
    """How many points a space has; None for a continuum."""
    whole = every_point(space)
    return None if whole is None else whole.size


def _new(points: Iterable[Point], *tried: Container[PointKey]) -> Iterator[Point]:
    return (point for point in points if not any(key_of(point) in keys for keys in tried))


def _and_all_others(proposed: Iterable[Point], space: Space) -> Iterator[Point]:
    yield from proposed
    whole = every_point(space)
    if whole is not None:
        yield from whole.walk()
