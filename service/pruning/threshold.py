"""Threshold: a run ends whose value lies outside of given bounds."""

from typing import Annotated

from pydantic import Field

from service.pruning.base import Check, Course
from service.pruning.looks import RegularLooks, last_look, next_look
from service.registry import PartSettings


class ThresholdSettings(PartSettings):
    """Bounds of the metric as it is reported; at least one of them is set."""

    lower: float | None = None
    upper: float | None = None
    warmup: Annotated[int, Field(ge=0, le=1_000_000, description="epochs before the first look")] = 0


class Threshold(RegularLooks):
    name = "threshold"
    description = "Stops a run as soon as its value lies below or above given bounds; it looks at no other run."
    Settings = ThresholdSettings
    compares = False

    def faults(self, course: Course, settings: ThresholdSettings) -> list[tuple[str, str]]:  # noqa: ARG002
        if settings.lower is None and settings.upper is None:
            return [("settings", "must set lower, upper or both; without a bound nothing is ever stopped")]
        if settings.lower is not None and settings.upper is not None and settings.lower > settings.upper:
            return [("settings.upper", f"must not be below lower, {settings.lower!r}, got {settings.upper!r}")]
        return []

    def next_check(self, course: Course, settings: ThresholdSettings, after: int) -> int | None:
        return next_look(course, max(after, settings.warmup))

    def last_check(self, course: Course, settings: ThresholdSettings, until: int) -> int | None:
        return last_look(course, settings.warmup, until)

    def verdict(self, check: Check, settings: ThresholdSettings) -> str | None:
        value = check.goal.better(check.values[-1])
        if settings.lower is not None and value < settings.lower:
            return f"At epoch {check.epoch} its value, {value:.4g}, is below {settings.lower:.4g}."
        if settings.upper is not None and value > settings.upper:
            return f"At epoch {check.epoch} its value, {value:.4g}, is above {settings.upper:.4g}."
        return None


RULE = Threshold()
