"""Hyperband: successive halving in brackets, which begin to stop at different epochs."""

import math
from itertools import accumulate
from typing import Annotated

from pydantic import Field

from service.pruning.base import Check, Course
from service.pruning.rungs import RungLooks, last_rung, next_rung, refuse_every
from service.registry import PartSettings

GOLDEN = (math.sqrt(5) - 1) / 2


class HyperbandSettings(PartSettings):
    """As of asha, and the epochs of a whole run, from which the number of brackets follows."""

    first: Annotated[int, Field(ge=1, le=1_000_000, description="epochs before the first look of all")] = 3
    reduction: Annotated[int, Field(ge=2, le=100, description="one run in so many goes on")] = 3
    epochs: Annotated[
        int | None, Field(ge=1, le=1_000_000_000, description="epochs of a whole run; the study's setting by default")
    ] = None


class Hyperband(RungLooks):
    """Hyperband (Li et al. 2018), each bracket by asynchronous halving: none has to be filled first.

    Curves may cross: what a bracket that stops early would lose, one that stops late keeps. Brackets
    get as many runs as they do in Hyperband, by the number of the trial.
    """

    name = "hyperband"
    description = "Successive halving in brackets that begin to stop at different epochs, in case late starters win."
    Settings = HyperbandSettings

    def faults(self, course: Course, settings: HyperbandSettings) -> list[tuple[str, str]]:
        full = settings.epochs or course.full
        if full is None:
            return [("settings.epochs", "is required: neither it nor the objective's settings say how long a run is")]
        if full < settings.first:
            return [("settings.first", f"must not be above the {full} epochs of a whole run, got {settings.first}")]
        return refuse_every(course, self.name)

    def next_check(self, course: Course, settings: HyperbandSettings, after: int) -> int | None:
        rung = next_rung(self._first(course, settings), settings.reduction, after)
        return None if rung >= self._full(course, settings) else rung

    def last_check(self, course: Course, settings: HyperbandSettings, until: int) -> int | None:
        before_the_end = min(until, self._full(course, settings) - 1)
        return last_rung(self._first(course, settings), settings.reduction, before_the_end)

    def bracket(self, course: Course, settings: HyperbandSettings) -> int:
        """By shares of the runs, in an order that covers every stretch of numbers evenly."""
        last = int(math.log(self._full(course, settings) / settings.first, settings.reduction) + 1e-9)
        # With s halvings to come, Hyperband starts (last + 1) / (s + 1) * reduction^s runs.
        runs = [settings.reduction ** (last - bracket) / (last - bracket + 1) for bracket in range(last + 1)]
        place = (course.number * GOLDEN + 0.5) % 1 * sum(runs)
        return next((bracket for bracket, end in enumerate(accumulate(runs)) if place < end), last)

    def verdict(self, check: Check, settings: HyperbandSettings) -> str | None:
        return self.out_of(check, settings.reduction)

    def _first(self, course: Course, settings: HyperbandSettings) -> int:
        return settings.first * int(settings.reduction ** self.bracket(course, settings))

    def _full(self, course: Course, settings: HyperbandSettings) -> int:
        return max(settings.epochs or course.full or settings.first, settings.first)


RULE = Hyperband()
