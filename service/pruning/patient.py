"""Patient: a run ends that has not become better for a number of epochs."""

from typing import Annotated

from pydantic import Field

from service.pruning.base import Check, Course
from service.pruning.looks import RegularLooks, last_look, next_look
from service.registry import PartSettings


class PatientSettings(PartSettings):
    """How many epochs without a gain are waited for, and what counts as a gain."""

    patience: Annotated[int, Field(ge=1, le=1_000_000, description="reported epochs without a gain")] = 10
    gain: Annotated[float, Field(ge=0, description="the least by which a new best must be better")] = 0.0


class Patient(RegularLooks):
    name = "patient"
    description = "Stops a run whose best value has not improved for a number of epochs; it looks at no other run."
    Settings = PatientSettings
    compares = False

    def faults(self, course: Course, settings: PatientSettings) -> list[tuple[str, str]]:  # noqa: ARG002
        return []

    def next_check(self, course: Course, settings: PatientSettings, after: int) -> int | None:  # noqa: ARG002
        return next_look(course, after)

    def last_check(self, course: Course, settings: PatientSettings, until: int) -> int | None:  # noqa: ARG002
        return last_look(course, 0, until)

    def verdict(self, check: Check, settings: PatientSettings) -> str | None:
        before, lately = check.values[: -settings.patience], check.values[-settings.patience :]
        if not before or max(lately) > max(before) + settings.gain:
            return None
        return (
            f"By epoch {check.epoch} its best, {check.said(max(before))}, has not become better "
            f"for {settings.patience} epochs."
        )


RULE = Patient()
