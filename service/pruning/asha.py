"""ASHA: at epochs that lie ever farther apart, only the best part of the runs so far goes on."""

from typing import Annotated

from pydantic import Field

from service.pruning.base import Check, Course
from service.pruning.rungs import RungLooks, last_rung, next_rung, refuse_every
from service.registry import PartSettings


class AshaSettings(PartSettings):
    """The first rung, and the factor from rung to rung, which is also the factor by which runs become fewer."""

    first: Annotated[int, Field(ge=1, le=1_000_000, description="epochs before the first look")] = 3
    reduction: Annotated[int, Field(ge=2, le=100, description="one run in so many goes on")] = 3


class Asha(RungLooks):
    """Asynchronous successive halving (Li et al. 2020) in its form that stops: no run waits for others.

    A run is compared with all that have been at the rung so far, so the first to come there goes on.
    """

    name = "asha"
    description = "Stops all but the best part of the runs at each of a few epochs that lie ever farther apart."
    Settings = AshaSettings

    def faults(self, course: Course, settings: AshaSettings) -> list[tuple[str, str]]:  # noqa: ARG002
        return refuse_every(course, self.name)

    def next_check(self, course: Course, settings: AshaSettings, after: int) -> int | None:
        rung = next_rung(settings.first, settings.reduction, after)
        return None if course.full is not None and rung >= course.full else rung

    def last_check(self, course: Course, settings: AshaSettings, until: int) -> int | None:
        before_the_end = until if course.full is None else min(until, course.full - 1)
        return last_rung(settings.first, settings.reduction, before_the_end)

    def bracket(self, course: Course, settings: AshaSettings) -> int:  # noqa: ARG002
        return 0

    def verdict(self, check: Check, settings: AshaSettings) -> str | None:
        return self.out_of(check, settings.reduction)


RULE = Asha()
