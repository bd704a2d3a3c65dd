"""Trains the pick of a study on training and validation data together and opens the test set, once."""

from dataclasses import dataclass
from datetime import datetime

from service.domain.errors import (
    AnotherTrialPicked,
    ConfirmationNotFound,
    FinalTestNotFound,
    InvalidInput,
    NoTestSet,
    NothingConfirmed,
)
from service.domain.seeds import derived_seed
from service.domain.status import Purpose, TrialStatus
from service.domain.study import Study
from service.domain.trial import Trial
from service.operations.again import Again, is_completed_search, require_not_stopped, train_again
from service.operations.confirm import confirmation_of
from service.storage.attempts import EpochNumbers
from service.storage.events import EventKind
from service.storage.store import Store
from trainer import objectives


@dataclass(frozen=True, slots=True)
class Tested:
    """The trial that is trained for the final test, and when it was handed out, which opens the test set."""

    trial: Trial
    opened_at: datetime | None


def ask_for_final_test(store: Store, study_name: str, number: int | None) -> Tested:
    """Begin the one final test, of a trial by its number or of the best confirmed one; or find how it stands."""
    study = store.studies.get(study_name, lock=True)
    if store.final_tests.of(study.id) is None:
        _begin(store, study, number)
    tested = final_test_of(store, study)
    if number is not None and number != tested.trial.source:
        raise AnotherTrialPicked(study.name, tested.trial.source)
    return tested


def final_test_of(store: Store, study: Study) -> Tested:
    """How the final test stands; raises FinalTestNotFound where nobody has asked for it."""
    recorded = store.final_tests.of(study.id)
    if recorded is None:
        raise FinalTestNotFound(study.name)
    return Tested(store.trials.get(recorded.trial_id), recorded.opened_at)


def open_test_set(store: Store, leased: Trial) -> None:
    """Note that a worker has been handed the final test: from then on the test set counts as opened."""
    if store.final_tests.open(leased.study_id, store.now):
        store.events.append(leased.study_id, EventKind.TEST_OPENED, store.now, trial=leased.number)


def curve_ends(store: Store, final: Trial) -> list[EpochNumbers]:
    """How the trainings ended that a final test follows: the repeats of its values, or else the search trial.

    Of those there were when it was asked for, so that every attempt at it is the same.
    """
    if final.purpose is not Purpose.FINAL_TEST or final.source is None:
        return []
    repeats = store.trials.of_purpose(final.study_id, Purpose.CONFIRMATION)
    followed = [one for one in repeats if one.source == final.source and _was_completed(one, final.created_at)]
    followed = followed or [store.trials.by_number(final.study_id, final.source)]
    return [curve[-1] for one in followed if (curve := store.attempts.curve(one.id))]


def _was_completed(trial: Trial, by: datetime) -> bool:
    return trial.status is TrialStatus.COMPLETED and trial.finished_at is not None and trial.finished_at <= by


def _begin(store: Store, study: Study, number: int | None) -> None:
    require_not_stopped(study)
    _require_test_set(study)
    pick = _best_confirmed(store, study) if number is None else _named(store, study, number)
    seed = derived_seed(study.spec.search.seed, "final-test")
    (test,) = train_again(store, study, Purpose.FINAL_TEST, [Again(pick, seed)])
    store.final_tests.add(study.id, test.id)
    store.events.append(study.id, EventKind.FINAL_TEST, store.now, trial=test.number)


def _require_test_set(study: Study) -> None:
    objective = objectives.find(study.spec.objective.name)
    if objective is not None and not objective.has_test_set:
        raise NoTestSet(objective.name)


def _best_confirmed(store: Store, study: Study) -> Trial:
    try:
        confirmation = confirmation_of(store, study)
    except ConfirmationNotFound as error:
        raise NothingConfirmed(study.name, "nothing is confirmed yet") from error
    if confirmation.status is not TrialStatus.COMPLETED:
        raise NothingConfirmed(study.name, "the confirmation still goes on")
    if confirmation.items[0].standing.rank is None:
        raise NothingConfirmed(study.name, "no repeat of the confirmation has a result")
    return confirmation.items[0].source


def _named(store: Store, study: Study, number: int) -> Trial:
    found = store.trials.numbered(study.id, [number]).get(number)
    if found is None or not is_completed_search(found):
        raise InvalidInput.of("trial", f"must be the number of a completed search trial of this study, got {number}")
    return found
