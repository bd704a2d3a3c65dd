"""Rungs: epochs that lie ever farther apart, at which only the best part of all runs goes on."""

from collections.abc import Sequence

from service.pruning.base import Check, Course


def next_rung(first: int, reduction: int, after: int) -> int:
    """The first of first, first * reduction, first * reduction^2, ... that is above `after`."""
    rung = first
    while rung <= after:
        rung *= reduction
    return rung


def last_rung(first: int, reduction: int, until: int) -> int | None:
    """The last of them up to `until`."""
    rung = next_rung(first, reduction, until) // reduction
    return rung if rung >= first else None


class RungLooks:
    """Compares the last value at a rung, where one run in `reduction` goes on, and always the best."""

    compares = True

    def reading(self, values: Sequence[float]) -> float:
        return values[-1]

    def out_of(self, check: Check, reduction: int) -> str | None:
        standing = check.standing
        going_on = max(1, (standing.others + 1) // reduction)
        if standing.better < going_on:
            return None
        return (
            f"At epoch {check.epoch} its value, {check.said(check.values[-1])}, is behind that of {standing.better} "
            f"of {standing.others} other runs, and the best {going_on} go on."
        )


def refuse_every(course: Course, name: str) -> list[tuple[str, str]]:
    if course.every is None:
        return []
    return [("every", f"does not belong to {name}, which looks at its rungs; leave it out")]
