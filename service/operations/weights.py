"""Keeps what the best trial of a study has learned, where the study asks for it."""

from datetime import timedelta

from service.domain.errors import InvalidInput, LeaseLost, WeightsNotFound, WeightsNotKept
from service.domain.status import Purpose
from service.domain.study import Study
from service.operations.leases import held
from service.storage.store import Store


def take_weights(store: Store, trial_id: int, token: str, content: bytes) -> None:
    """Keep the weights of a trial that runs under a lease, which it renews, until it is known if they are the best."""
    if not content:
        raise InvalidInput.of("body", "must be what the trial has learned, and is empty")
    run = held(store, trial_id, token)
    if run is None:
        raise LeaseLost(store.trials.get(trial_id).id)
    study, trial = run.study, run.trial
    if trial.purpose is not Purpose.SEARCH:
        raise InvalidInput.of("trial_id", "must be of a search trial: weights are kept of the best of those")
    if study.spec.keep_weights == "none":
        raise WeightsNotKept(study.name)
    store.weights.put(study.id, trial.id, content)
    store.trials.renew(trial, store.now + timedelta(seconds=study.spec.lease_seconds))


def keep_only_the_best(store: Store, study: Study) -> None:
    """Forget what trials have learned that have ended, but for the best."""
    if study.spec.keep_weights == "none":
        return
    best = store.trials.best(study.id, study.spec.metric.goal, 1)
    store.weights.drop(study.id, best[0].id if best else None)


def best_weights(store: Store, name: str) -> bytes:
    """What the best trial has learned."""
    study = store.studies.get(name)
    if study.spec.keep_weights == "none":
        raise WeightsNotKept(study.name)
    best = store.trials.best(study.id, study.spec.metric.goal, 1)
    content = store.weights.of(best[0].id) if best else None
    if content is None:
        raise WeightsNotFound(study.name, best[0].number if best else None)
    return content
