"""Shows a study with what a user should know of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from service.domain.study import Study
from service.domain.trial import Trial
from service.operations.draw import searching
from service.storage.store import Store
from service.storage.trial_pages import RANKED
from trainer import objectives


@dataclass(frozen=True, slots=True)
class Shown:
    """A study, its best trial so far, the rounds that led to the one in force, and warnings in sentences."""

    study: Study
    best: Trial | None
    chain: list[int]
    warnings: list[str]


def show_study(store: Store, study: Study) -> Shown:
    (shown,) = show_studies(store, [study])
    return shown


def show_studies(store: Store, studies: Sequence[Study]) -> list[Shown]:
    """Several at once: what the workers have announced is read once for all."""
    announced = store.workers.objectives()
    return [_shown(store, study, announced) for study in studies]


def _shown(store: Store, study: Study, announced: Collection[str]) -> Shown:
    ranked = any(study.counts.get(status) for status in RANKED)
    best = store.trials.best(study.id, study.spec.metric.goal, 1) if ranked else []
    return Shown(
        study,
        best[0] if best else None,
        store.rounds.chain(study.id, study.round),
        [*_too_small(store, study), *_nobody_there(study, announced)],
    )


def _too_small(store: Store, study: Study) -> list[str]:
    (algorithm, settings), trials = searching(study), study.spec.budget.trials
    current = store.rounds.get(study.id, study.round)
    capacity = algorithm.capacity(current.space, settings, max(1, current.planned))
    if trials is None or capacity is None or capacity >= trials:
        return []
    return [
        f"The {algorithm.name} search has at most {capacity} different points here, fewer than the budget of "
        f"{trials} trials: the study completes when they are used up."
    ]


def _nobody_there(study: Study, announced: Collection[str]) -> list[str]:
    name = study.spec.objective.name
    if objectives.find(name) is not None or name in announced:
        return []
    return [f"No worker has announced the objective {name!r} yet: its trials wait until one does."]
