"""Median: a run ends whose best value so far is below the median of the others' at the same epoch."""

from typing import Annotated

from pydantic import Field

from service.pruning.base import Check, Course
from service.pruning.looks import RegularLooks, last_look, next_look
from service.registry import PartSettings


class MedianSettings(PartSettings):
    """How many other runs must have come as far, and how many epochs every run is left in peace."""

    startup: Annotated[int, Field(ge=1, le=10_000, description="other runs to compare with, at least")] = 5
    warmup: Annotated[int, Field(ge=0, le=1_000_000, description="epochs before the first look")] = 5


class MedianRule(RegularLooks):
    """The stopping rule of Golovin et al. (Google Vizier, 2017), on the best value so far.

    All runs that have come as far count, whatever became of them later; each is only stopped by runs
    at the same epoch.
    """

    name = "median"
    description = "Stops a run whose best value so far is worse than the median of the other runs at the same epoch."
    Settings = MedianSettings
    compares = True

    def faults(self, course: Course, settings: MedianSettings) -> list[tuple[str, str]]:  # noqa: ARG002
        return []

    def next_check(self, course: Course, settings: MedianSettings, after: int) -> int | None:
        return next_look(course, max(after, settings.warmup))

    def last_check(self, course: Course, settings: MedianSettings, until: int) -> int | None:
        return last_look(course, settings.warmup, until)

    def verdict(self, check: Check, settings: MedianSettings) -> str | None:
        standing = check.standing
        if standing.others < settings.startup or 2 * standing.better <= standing.others:
            return None
        return (
            f"Its best by epoch {check.epoch}, {check.said(max(check.values))}, is worse than the median: "
            f"{standing.better} of {standing.others} other runs were better there."
        )


RULE = MedianRule()
