"""Answers with the best trials of a study."""

from dataclasses import dataclass

from service.domain.errors import RoundNotFound
from service.domain.ranking import Interval, estimated_noise, interval_of, leaders
from service.domain.study import Study
from service.domain.trial import Observation, Trial
from service.storage.store import Store

TRIALS_FOR_NOISE = 200


@dataclass(frozen=True, slots=True)
class Ranked:
    """A trial with its rank from 1, and whether it can be told apart from the best."""

    trial: Trial
    rank: int
    interval: Interval | None
    leader: bool


def best_trials(store: Store, study: Study, count: int, round: int | None = None) -> list[Ranked]:
    """The best trials, best first, ties by lower number."""
    if round is not None and round > (last := store.rounds.last(study.id)):
        raise RoundNotFound(round, last)
    goal = study.spec.metric.goal
    trials = store.trials.best(study.id, goal, count, round)
    observations = [observed(trial) for trial in trials]
    without_samples = any(interval_of(seen.value, seen.samples) is None for seen in observations)
    noise = noise_among_best(store, study, round) if without_samples else None
    return [
        Ranked(trial, rank, interval_of(trial.value, trial.samples), leader)
        for rank, (trial, leader) in enumerate(zip(trials, leaders(observations, goal, noise), strict=True), 1)
    ]


def noise_among_best(store: Store, study: Study, round: int | None = None) -> float | None:
    """How much values differ that should be equal, as told by the best."""
    ranked = store.trials.count_ranked(study.id, TRIALS_FOR_NOISE, round)
    top = store.trials.best_observations(study.id, study.spec.metric.goal, max(8, ranked // 4), round)
    return estimated_noise(study.spec.space, top)


def observed(trial: Trial) -> Observation:
    """What a trial has shown."""
    return Observation(trial.number, trial.params, trial.status, trial.value, trial.samples, trial.round)
