"""Trains a search trial's values again, for a purpose other than the search."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.domain.errors import TransitionRefused
from service.domain.status import Purpose, StudyStatus, TrialStatus
from service.domain.study import Study
from service.domain.trial import Origin, Trial
from service.storage.store import Signal, Store
from service.storage.trials import NewTrial


@dataclass(frozen=True, slots=True)
class Again:
    """A search trial to train again, with what seeds."""

    source: Trial
    seed: int
    split: int | None = None


def require_not_stopped(study: Study) -> None:
    """Refuse what a stopped study would never train."""
    if study.status is StudyStatus.STOPPED:
        raise TransitionRefused("The study", study.status, "running", "Clone it and import its best trials there.")


def is_completed_search(trial: Trial | None) -> bool:
    """Whether a trial has a result that may be looked at again."""
    return trial is not None and trial.purpose is Purpose.SEARCH and trial.status is TrialStatus.COMPLETED


def train_again(store: Store, study: Study, purpose: Purpose, wanted: Sequence[Again]) -> list[Trial]:
    """Write the trials down, which the budget does not count."""
    first = store.studies.draw_numbers(study.id, len(wanted), budgeted=False)
    store.announce(Signal.WORK)
    return store.trials.add(
        study, [_new(study, purpose, one, number) for number, one in enumerate(wanted, first)], store.now
    )


def _new(study: Study, purpose: Purpose, again: Again, number: int) -> NewTrial:
    return NewTrial(
        number=number,
        params=again.source.params,
        round=again.source.round,
        seed=again.seed,
        origin=Origin.ENQUEUED,
        attempts_allowed=study.spec.retry.max_attempts,
        purpose=purpose,
        source=again.source.number,
        split=again.split,
    )
