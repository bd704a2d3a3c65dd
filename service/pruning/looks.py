"""What rules have in common that look at every epoch, or at every so many."""

from collections.abc import Sequence

from service.pruning.base import Course


def next_look(course: Course, after: int) -> int:
    """The next multiple of the study's `every`; the next epoch where it says nothing."""
    every = course.every or 1
    return (max(after, 0) // every + 1) * every


def last_look(course: Course, warmup: int, until: int) -> int | None:
    """The last such epoch up to one, unless it is one of the first that a run is left in peace."""
    every = course.every or 1
    look = until // every * every
    return look if look > max(warmup, 0) else None


class RegularLooks:
    """The best value so far, in one bracket for all."""

    def bracket(self, course: Course, settings: object) -> int:  # noqa: ARG002
        return 0

    def reading(self, values: Sequence[float]) -> float:
        return max(values)
