"""What follows when a trial has come to its end: a new round perhaps, and perhaps the end of the study."""

from service.domain.errors import TransitionRefused
from service.domain.facts import Happening
from service.domain.status import FailureReason, Purpose, StudyStatus, TrialStatus
from service.domain.study import GIVING_UP, Study
from service.domain.trial import Trial
from service.operations.draw import searches_at_once
from service.operations.leases import Held
from service.operations.open_round import narrow_by_itself
from service.operations.weights import keep_only_the_best
from service.storage.events import EventKind
from service.storage.store import Signal, Store

OPEN = (StudyStatus.RUNNING, StudyStatus.PAUSED)


def end_trial(
    store: Store,
    run: Held,
    status: TrialStatus,
    *,
    value: float | None = None,
    samples: int | None = None,
    failure: tuple[FailureReason, str] | None = None,
    stop_reason: str | None = None,
) -> Trial:
    """running -> a final status; its study goes on from there."""
    trial = run.trial
    event = store.events.append(trial.study_id, EventKind.FINISHED, store.now, trial=trial.number)
    ended = store.trials.finish(
        trial,
        status,
        store.now,
        event=event,
        value=value,
        samples=samples,
        failure=failure,
        stop_reason=stop_reason or trial.stop_reason,
    )
    store.announce(Signal.WORK)
    if not searches_at_once(run.study):
        store.announce(Signal.HISTORY)
    store.note(Happening(status), reason=ended.failure_reason)
    if ended.purpose is Purpose.SEARCH:
        _go_on(store, run.study, ended)
    return ended


def _go_on(store: Store, study: Study, ended: Trial) -> None:
    keep_only_the_best(store, study)
    met = _meets_target(study, ended)
    if ended.status is TrialStatus.CANCELLED:
        store.studies.add_to(study.id, budgeted=-1)
    else:
        finished = store.rounds.count_finished(study.id, ended.round)
        if met:
            store.studies.update(study.id, ended_by="target")
        elif ended.round == study.round:
            narrow_by_itself(store, study, finished)
    # Nothing else that follows an end brings a study to a bound.
    if met or study.reached(store.now) is not None:
        conclude(store, study.id)


def conclude(store: Store, study_id: str) -> None:
    """Complete a study whose budget is used up and whose trials have ended."""
    study = store.studies.get(study_id, lock=True)
    bound = study.reached(store.now)
    if bound is None or study.status not in OPEN:
        return
    if bound in GIVING_UP:
        store.studies.update(study_id, ended_by=bound)
        _cancel_waiting(store, study)
        study = store.studies.get(study_id)
    if study.unfinished == 0:
        complete_study(store, study, bound)


def require_not_over(store: Store, study: Study) -> None:
    """Refuse what a study could not run any more, since a bound is reached at which it gives up what waits."""
    if bound := study.over(store.now):
        raise TransitionRefused("The study", f"ended by {bound}", "running", f"Raise its budget.{bound} with PATCH.")


def reopen(store: Store, study: Study) -> None:
    """completed -> running, for a trial that waits; what the search has run out of stays so."""
    ended_by = "space" if study.ended_by == "space" else None
    store.studies.update(study.id, status=StudyStatus.RUNNING, ended_by=ended_by, finished_at=None)
    store.events.append(study.id, EventKind.STATUS, store.now)


def complete_study(store: Store, study: Study, bound: str) -> None:
    store.studies.update(study.id, status=StudyStatus.COMPLETED, ended_by=bound, finished_at=store.now)
    store.events.append(study.id, EventKind.STATUS, store.now)
    if not store.trials.next_waiting(study.id, list(Purpose), 1):
        store.studies.rest(study.id)


def cancel(store: Store, trial: Trial) -> None:
    """waiting -> cancelled, which gives its place in the budget back."""
    event = store.events.append(trial.study_id, EventKind.FINISHED, store.now, trial=trial.number)
    store.trials.cancel_waiting(trial, store.now, event=event)
    if trial.purpose is Purpose.SEARCH:
        store.studies.add_to(trial.study_id, budgeted=-1)


def _cancel_waiting(store: Store, study: Study) -> None:
    for trial in store.trials.in_status(study.id, TrialStatus.WAITING, Purpose.SEARCH):
        cancel(store, trial)


def _meets_target(study: Study, ended: Trial) -> bool:
    return ended.status is TrialStatus.COMPLETED and ended.value is not None and study.meets_target(ended.value)
