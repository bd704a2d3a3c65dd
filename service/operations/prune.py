"""Looks at a run when it has come to an epoch at which the study's rule of early stopping wants to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from service import pruning
from service.domain.status import Purpose
from service.domain.study import Spec, Study
from service.domain.trial import Trial
from service.pruning.base import Check, Course, Rule, Standing, looks
from service.storage.attempts import EpochNumbers
from service.storage.store import Store


@dataclass(frozen=True, slots=True)
class Pruning:
    """The rule of a study as it applies to one trial."""

    rule: Rule[Any]
    settings: BaseModel
    course: Course

    @classmethod
    def of(cls, study: Study, trial: Trial) -> "Pruning | None":
        """None where the study has no rule, or the trial is no part of the search."""
        plan = study.spec.pruning
        rule = None if plan is None else pruning.find(plan.policy)
        if plan is None or rule is None or trial.purpose is not Purpose.SEARCH:
            return None
        settings = rule.Settings.model_validate(dict(plan.settings))
        return cls(rule, settings, course_of(study.spec, trial.number, trial.params.get("epochs")))

    def next_check(self, after: int) -> int | None:
        return self.rule.next_check(self.course, self.settings, after)

    @property
    def bracket(self) -> int:
        return self.rule.bracket(self.course, self.settings)

    def verdicts(self, checks: Sequence[Check]) -> str | None:
        """The reason for which the run ends, at the first check that gives one."""
        said = (self.rule.verdict(check, self.settings) for check in checks)
        return next((reason for reason in said if reason is not None), None)


def course_of(spec: Spec, number: int, epochs: object = None) -> Course:
    """What is known of a run: its length from the trial's own epochs, or else from the settings of the study."""
    full = spec.objective.settings.get("epochs") if epochs is None else epochs
    known = full if isinstance(full, int) and not isinstance(full, bool) and full > 0 else None
    every = None if spec.pruning is None else spec.pruning.every
    return Course(number=number, seed=spec.search.seed, full=known, every=every)


def check_run(store: Store, study: Study, trial: Trial, added: int) -> list[Check]:
    """The checks that the last so many epochs of a curve have brought; how the run stood is noted for others."""
    applied = Pruning.of(study, trial)
    if applied is None or added == 0:
        return []
    reported = store.attempts.curve(trial.id)
    known = [epoch for epoch in reported[:-added] if study.spec.metric.name in epoch]
    curve = [epoch for epoch in reported if study.spec.metric.name in epoch]
    since = int(known[-1]["epoch"]) if known else -1
    epochs = [int(epoch["epoch"]) for epoch in curve[len(known) :]]
    found = looks(applied.rule, applied.course, applied.settings, since, epochs)
    return [_check(store, study, trial, applied, curve, *look) for look in found]


def _check(
    store: Store,
    study: Study,
    trial: Trial,
    applied: Pruning,
    curve: Sequence[EpochNumbers],
    epoch: int,
    report: int,
) -> Check:
    metric = study.spec.metric
    values = [metric.goal.better(one[metric.name]) for one in curve if one["epoch"] <= report]
    standing = Standing()
    if applied.rule.compares:
        value = applied.rule.reading(values)
        place = (study.id, epoch, applied.bracket, trial.id, value)
        store.standings.note(*place)
        standing = Standing(*store.standings.compare(*place))
    return Check(epoch=epoch, values=values, standing=standing, goal=metric.goal)
