"""Draws new trials for a worker that waits, with an algorithm that is quick enough for that."""

from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel

from service import search
from service.domain.rounds import Round
from service.domain.seeds import derived_seed
from service.domain.space import PointKey, Scalar, key_of
from service.domain.study import Study
from service.domain.trial import Origin, Trial
from service.search.base import Algorithm, Question, is_instant
from service.search.packages import packages_of
from service.storage.store import Store
from service.storage.trials import NewTrial

COMPUTING = ("shibori", "numpy", "scipy", "scikit-optimize", "scikit-learn")


@dataclass(frozen=True, slots=True)
class _Taken:
    """The points that a study has already, looked up one by one."""

    store: Store
    study_id: str

    def __contains__(self, point: object) -> bool:
        return isinstance(point, PointKey) and self.store.trials.has_point(self.study_id, point)


def searching(study: Study) -> tuple[Algorithm[Any], BaseModel]:
    """The search algorithm of a study and its settings, both checked when the study was submitted."""
    algorithm = search.find(study.spec.search.algorithm)
    if algorithm is None:
        raise LookupError(f"the search algorithm {study.spec.search.algorithm!r} is gone from this server")
    return algorithm, algorithm.Settings.model_validate(dict(study.spec.search.settings))


def searches_at_once(study: Study) -> bool:
    """Whether a claim draws for itself, so that nobody has to make suggestions ahead."""
    return is_instant(*searching(study))


def draw(store: Store, study: Study, count: int) -> list[Trial]:
    """Write down at most `count` new waiting trials, never past the budget."""
    count = count if study.room is None else min(count, study.room)
    algorithm, settings = searching(study)
    if count < 1 or not study.draws or not is_instant(algorithm, settings):
        return []
    current = store.rounds.get(study.id, study.round)
    question = _question(store, study, current)
    answer = algorithm.suggest(question, settings, count)
    if answer.position != current.position:
        store.rounds.move_to(study.id, current.number, answer.position)
    if len(answer.points) < count:
        store.studies.update(study.id, ended_by="space")
    if not answer.points:
        return []
    return write_suggestions(store, study, current, answer.points, provenance(study, current, question))


def write_suggestions(
    store: Store,
    study: Study,
    current: Round,
    points: tuple[dict[str, Scalar], ...],
    origin: dict[str, object],
    first_place: int = 0,
) -> list[Trial]:
    """Give points, from a place on in the answer they come from, the next numbers of a study; they wait for a claim."""
    first = store.studies.draw_numbers(study.id, len(points), budgeted=True)
    return store.trials.add(
        study,
        [
            NewTrial(
                number=first + place,
                params=params,
                round=current.number,
                seed=trial_seed(study.spec.search.seed, first + place),
                origin=Origin.SUGGESTED,
                attempts_allowed=study.spec.retry.max_attempts,
                provenance={**origin, "place": first_place + place},
            )
            for place, params in enumerate(points)
        ],
        store.now,
    )


def provenance(
    study: Study, current: Round, question: Question, pending: tuple[Trial, ...] = (), given_up: int = 0
) -> dict[str, object]:
    """What suggestions were made from that were asked for together: all that it takes to ask again."""
    return {
        "algorithm": study.spec.search.algorithm,
        "settings": dict(study.spec.search.settings),
        "seed": question.seed,
        "round": current.number,
        "first": question.number,
        "planned": question.planned,
        "position": question.position,
        "last_event": study.last_event,
        "known": len(question.history),
        "pending": [trial.number for trial in pending],
        "pending_points": [key_of(trial.params) for trial in pending],
        "given_up": given_up,
        "versions": versions(study.spec.search.algorithm),
    }


@cache
def versions(algorithm: str) -> dict[str, str]:
    """The versions on which what an algorithm suggests may depend."""
    found = search.find(algorithm)
    more = () if found is None else packages_of(found)
    return {package: version(package) for package in (*COMPUTING, *more)}


def trial_seed(study_seed: int, number: int) -> int:
    """The seed of a trial: 32 bits that depend on the study's seed and the trial's number only."""
    return derived_seed(study_seed, number)


def _question(store: Store, study: Study, current: Round) -> Question:
    return Question(
        space=current.space,
        goal=study.spec.metric.goal,
        seed=study.spec.search.seed,
        number=study.next_number,
        planned=max(1, current.planned),
        position=current.position,
        taken=_Taken(store, study.id),
    )
