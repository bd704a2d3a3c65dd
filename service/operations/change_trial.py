"""Cancels one trial, or lets one that failed or was cancelled try again."""

from service.domain.errors import BudgetUsedUp, TransitionRefused
from service.domain.status import Purpose, StudyStatus, TrialStatus
from service.domain.study import Study
from service.domain.trial import Trial
from service.operations.conclude import cancel, conclude, reopen, require_not_over
from service.storage.events import EventKind
from service.storage.store import Signal, Store


def cancel_trial(store: Store, study_name: str, number: int) -> Trial:
    """Cancel a waiting trial; a running one is told to stop at its next report and is cancelled then."""
    study = store.studies.get(study_name, lock=True)
    trial = store.trials.by_number(study.id, number)
    match trial.status:
        case TrialStatus.WAITING:
            cancel(store, trial)
            store.announce(Signal.WORK, Signal.HISTORY)
            conclude(store, study.id)
        case TrialStatus.RUNNING:
            store.trials.ask_to_stop([trial.id], "The trial was cancelled.")
        case TrialStatus.CANCELLED:
            pass
        case _:
            raise TransitionRefused(f"Trial {number}", trial.status, "cancelled", "It has ended already.")
    return store.trials.get(trial.id)


def retry_trial(store: Store, study_name: str, number: int) -> Trial:
    """failed or cancelled -> waiting, with the same values and as many attempts again."""
    study = store.studies.get(study_name, lock=True)
    trial = store.trials.by_number(study.id, number)
    if trial.status not in (TrialStatus.FAILED, TrialStatus.CANCELLED):
        raise TransitionRefused(f"Trial {number}", trial.status, "waiting", "Only failed and cancelled ones retry.")
    if study.status is StudyStatus.STOPPED:
        raise TransitionRefused("The study", study.status, "running", "Clone it and enqueue these values there.")
    if trial.purpose is Purpose.SEARCH:
        require_not_over(store, study)
    _take_place_in_budget(store, study, trial)
    revived = store.trials.revive(trial, study.spec.retry.max_attempts)
    if study.status is StudyStatus.COMPLETED and trial.purpose is Purpose.SEARCH:
        reopen(store, study)
    store.events.append(study.id, EventKind.RETRIED, store.now, trial=number)
    store.announce(Signal.WORK, Signal.HISTORY)
    return revived


def _take_place_in_budget(store: Store, study: Study, trial: Trial) -> None:
    if trial.status is TrialStatus.CANCELLED and trial.purpose is Purpose.SEARCH:
        if study.room == 0:
            raise BudgetUsedUp(1, 0)
        store.studies.add_to(study.id, budgeted=1)
