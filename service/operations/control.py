"""Pauses, resumes, stops and deletes a study."""

from service.domain.errors import StudyIsRunning, TransitionRefused
from service.domain.status import STUDY_TRANSITIONS, StudyStatus, TrialStatus
from service.domain.study import Study
from service.operations.conclude import cancel, conclude
from service.storage.events import EventKind
from service.storage.store import Signal, Store


def pause_study(store: Store, name: str) -> Study:
    """Hand out no more trials; those that run go on."""
    return _change(store, name, StudyStatus.PAUSED, "Only a running study can be paused.")


def resume_study(store: Store, name: str) -> Study:
    """Hand out trials again."""
    study = store.studies.get(name, lock=True)
    if study.status is StudyStatus.COMPLETED:
        raise TransitionRefused("The study", study.status, "resumed", "Raise its budget with PATCH to go on with it.")
    _change(store, name, StudyStatus.RUNNING, "Only a paused study can be resumed.")
    conclude(store, study.id)
    return store.studies.get(study.id)


def stop_study(store: Store, name: str) -> Study:
    """End a study for good: waiting trials are cancelled, running ones are told at their next report."""
    study = _change(store, name, StudyStatus.STOPPED, "It has ended already; a completed study can be deleted.")
    for trial in store.trials.in_status(study.id, TrialStatus.WAITING):
        cancel(store, trial)
    running = store.trials.in_status(study.id, TrialStatus.RUNNING)
    store.trials.ask_to_stop([trial.id for trial in running], "The study was stopped.")
    store.studies.update(study.id, finished_at=store.now, ended_by="stop")
    return store.studies.get(study.id)


def delete_study(store: Store, name: str) -> None:
    """Forget a study with all its trials, whose rows the server removes when it finds the time."""
    study = store.studies.get(name, lock=True)
    if study.status is StudyStatus.RUNNING:
        raise StudyIsRunning(study.name)
    # A name that nobody can know, and so nobody can take before.
    store.studies.delete(study.id, f"deleted-{store.random_token()}", store.now)


def _change(store: Store, name: str, status: StudyStatus, way_out: str) -> Study:
    study = store.studies.get(name, lock=True)
    if study.status is status:
        return study
    if status not in STUDY_TRANSITIONS[study.status]:
        raise TransitionRefused("The study", study.status, status, way_out)
    store.studies.update(study.id, status=status)
    store.events.append(study.id, EventKind.STATUS, store.now)
    store.announce(Signal.WORK, Signal.HISTORY)
    return store.studies.get(study.id)
