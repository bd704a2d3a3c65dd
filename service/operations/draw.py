"""Draws new trials for a worker that waits, with an algorithm that is quick enough for that."""

from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib.metadata import version

from service import search
from service.domain.rounds import Round
from service.domain.space import PointKey, Scalar
from service.domain.study import Study
from service.domain.trial import Origin
from service.search.base import Algorithm, Question, is_instant
from service.search.packages import packages_of
from service.storage.store import Store
from service.storage.trials import NewTrial


@dataclass(frozen=True, slots=True)
class _Taken:
    """The points that a study has already, looked up one by one."""

    store: Store
    study_id: str

    def __contains__(self, point: object) -> bool:
        return isinstance(point, PointKey) and self.store.trials.has_point(self.study_id, point)


def algorithm_of(study: Study) -> Algorithm:  # type: ignore[type-arg]
    """The search algorithm of a study, which was known when it was submitted."""
    algorithm = search.find(study.spec.search.algorithm)
    if algorithm is None:
        raise LookupError(f"the search algorithm {study.spec.search.algorithm!r} is gone from this server")
    return algorithm


def draw(store: Store, study: Study, count: int) -> int:
    """Write down at most `count` new waiting trials, never past the budget; returns how many."""
    algorithm = algorithm_of(study)
    count = count if study.room is None else min(count, study.room)
    settings = algorithm.Settings.model_validate(dict(study.spec.search.settings))
    if not study.draws or not is_instant(algorithm, settings) or count < 1:
        return 0
    current = store.rounds.get(study.id, study.round)
    answer = algorithm.suggest(_question(store, study, current), settings, count)
    if answer.points:
        write_suggestions(store, study, current, answer.points, provenance(study, current, algorithm.name, ()))
    store.rounds.move_to(study.id, current.number, answer.position)
    if len(answer.points) < count:
        store.studies.update(study.id, ended_by="space")
    return len(answer.points)


def write_suggestions(
    store: Store,
    study: Study,
    current: Round,
    points: tuple[dict[str, Scalar], ...],
    origin: dict[str, object],
) -> None:
    """Give points the next numbers of a study; they wait to be claimed."""
    first = store.studies.draw_numbers(study.id, len(points), budgeted=True)
    store.trials.add(
        study.id,
        [
            NewTrial(
                number=number,
                params=params,
                round=current.number,
                seed=trial_seed(study.spec.search.seed, number),
                origin=Origin.SUGGESTED,
                attempts_allowed=study.spec.retry.max_attempts,
                provenance=origin,
            )
            for number, params in enumerate(points, first)
        ],
        store.now,
    )


def provenance(study: Study, current: Round, algorithm: str, pending: tuple[int, ...]) -> dict[str, object]:
    """What a suggestion was made from."""
    return {
        "algorithm": algorithm,
        "settings": dict(study.spec.search.settings),
        "seed": study.spec.search.seed,
        "round": current.number,
        "last_event": study.last_event,
        "pending": list(pending),
        "versions": _versions(algorithm),
    }


@cache
def _versions(algorithm: str) -> dict[str, str]:
    found = search.find(algorithm)
    more = () if found is None else packages_of(found)
    return {package: version(package) for package in ("shibori", "numpy", *more)}


def trial_seed(study_seed: int, number: int) -> int:
    """The seed of a trial: 32 bits that depend on the study's seed and the trial's number only."""
    return int.from_bytes(blake2b(f"{study_seed}/{number}".encode(), digest_size=4).digest(), "big")


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
