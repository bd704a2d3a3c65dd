"""Takes in what another study has found, as results from elsewhere."""

from dataclasses import dataclass

from service.domain.errors import InvalidInput
from service.domain.space import key_of
from service.domain.status import TrialStatus
from service.domain.study import Study
from service.domain.trial import Observation, Trial
from service.operations.enqueue import Given, take_in
from service.storage.store import Store


@dataclass(frozen=True, slots=True)
class WarmStart:
    """The first of what was taken in, how much that was, and how much of what the other study completed was not."""

    trials: list[Trial]
    count: int
    skipped: int


def warm_start(store: Store, study_name: str, other_name: str) -> WarmStart:
    """Import the completed trials of a study with the same parameters and metric, whatever its ranges.

    Left out is what this study has tried or taken in already, so that asking twice does no harm, and
    what its space has no place for, as a choice that it does not know.
    """
    study, other = store.studies.get(study_name, lock=True), store.studies.get(other_name)
    _require_alike(study, other)
    found = [seen for seen in store.trials.observations(other.id) if seen.status is TrialStatus.COMPLETED]
    known = store.trials.points(study.id)
    fitting = [seen for seen in found if key_of(seen.params) not in known and _fits(study, seen)]
    given = [Given(seen.params, seen.value, seen.samples) for seen in fitting]
    taken = take_in(store, study_name, given) if given else []
    return WarmStart(taken, len(given), len(found) - len(fitting))


def _fits(study: Study, seen: Observation) -> bool:
    return not study.spec.space.faults(seen.params, elsewhere=True)


def _require_alike(study: Study, other: Study) -> None:
    if study.id == other.id:
        raise InvalidInput.of("from_study", "must be another study than the one that takes in")
    if study.spec.metric != other.spec.metric:
        wanted, offered = (f"{one.spec.metric.name} ({one.spec.metric.goal})" for one in (study, other))
        raise InvalidInput.of("from_study", f"must have the metric of this study, {wanted}, and has {offered}")
    names, others = set(study.spec.space.parameters), set(other.spec.space.parameters)
    if names != others:
        raise InvalidInput.of(
            "from_study",
            f"must search the same parameters, {', '.join(sorted(names))}, and searches {', '.join(sorted(others))}",
        )
