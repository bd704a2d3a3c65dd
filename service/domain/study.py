"""One search: what was asked for, where it stands and when it is over."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from service.domain.space import Space
from service.domain.status import UNFINISHED, StudyStatus, TrialStatus
from service.domain.trial import Goal


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    name: str
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    name: str
    goal: Goal


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    algorithm: str
    seed: int
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A policy or rule by name, and after how many finished trials it acts by itself."""

    policy: str
    every: int | None = None
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    trials: int | None = None
    seconds: float | None = None
    epochs: int | None = None
    target: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    max_attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What was asked for."""

    name: str
    objective: Objective
    metric: Metric
    space: Space
    search: Search
    budget: Budget
    narrowing: Plan | None
    pruning: Plan | None
    retry: Retry
    lease_seconds: float
    max_parallel: int | None
    keep_weights: Literal["best", "none"] = "none"


Counts = Mapping[TrialStatus, int]
RENEWALS_PER_LEASE = 3
"""So often a worker renews what it holds, so that losing a renewal or two is no harm."""
GIVING_UP = ("target", "seconds", "epochs")
"""Bounds at which trials that wait are given up; at the others, `trials` and `space`, they are still to run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A study as it stands; `counts` are of its search trials."""

    id: str
    spec: Spec
    submitted: str
    """The specification as submitted, in JSON, with what a PATCH has changed since."""
    status: StudyStatus
    round: int
    next_number: int
    budgeted: int
    """Trials that the budget counts: numbered search trials, not imported and not cancelled."""
    epochs: int
    """Epochs reported so far."""
    last_event: int
    ended_by: str | None
    """Which bound was reached first; from then on nothing is drawn."""
    counts: Counts
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def unfinished(self) -> int:
        """How many search trials wait or run."""
        return sum(self.counts.get(status, 0) for status in UNFINISHED)

    @property
    def room(self) -> int | None:
        """How many more trials the budget allows; None where it does not count trials."""
        trials = self.spec.budget.trials
        return None if trials is None else max(0, trials - self.budgeted)

    @property
    def draws(self) -> bool:
        """Whether new trials may be drawn."""
        return self.status is StudyStatus.RUNNING and self.ended_by is None and self.room != 0

    def reached(self, now: datetime) -> str | None:
        """The bound that has been reached: one at which what still waits is given up, before one at which it is not."""
        return self.over(now) or self.ended_by or ("trials" if self.room == 0 else None)

    def over(self, now: datetime) -> str | None:
        """The bound that has been reached at which even what still waits is given up."""
        budget = self.spec.budget
        if self.ended_by in GIVING_UP:
            return self.ended_by
        if budget.epochs is not None and self.epochs >= budget.epochs:
            return "epochs"
        if budget.seconds is not None and self.started_at is not None:
            return "seconds" if (now - self.started_at).total_seconds() >= budget.seconds else None
        return None

    def meets_target(self, value: float) -> bool:
        """Whether a value is as good as the target that was set."""
        goal, target = self.spec.metric.goal, self.spec.budget.target
        return target is not None and goal.better(value) >= goal.better(target)

    def eta_seconds(self, now: datetime) -> float | None:
        """How long the rest of the trials takes at the pace so far; None where nothing tells."""
        done = self.budgeted - self.unfinished
        trials = self.spec.budget.trials
        if self.status is not StudyStatus.RUNNING or self.started_at is None or trials is None or done <= 0:
            return None
        return (now - self.started_at).total_seconds() / done * max(0, trials - done)
