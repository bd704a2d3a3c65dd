"""What rules have in common that look at every epoch, or at every so many."""

from collections.abc import Sequence

from service.pruning.base import Course


def next_look(course: Course, after: int) -> int:
    """The next multiple of the study's `every`; the next epoch where it says nothing."""
    every = course.every or 1
    return (max(after, 0) // every + 1) * every


class RegularLooks:
    """The best value so far, in one bracket for all."""

    def bracket(self, course: Course, settings: object) -> int:  # noqa: ARG002
        return 0

    def reading(self, values: Sequence[float]) -> float:
        return max(values)
