"""Pauses a worker that fails one trial after the other where others succeed, and lets it go on."""

from service.domain.errors import WorkerNotFound
from service.storage.store import Signal, Store
from service.storage.workers import Run, Worker


def reason_to_pause(store: Store, worker: str, failures: int) -> str | None:
    """Why a worker is given nothing, from so many failures in a row on; 0 pauses nobody."""
    run = store.workers.run(worker)
    if run is None or (run.paused_reason is None and not _fails_alone(store, worker, run, failures)):
        return None
    if run.paused_reason is not None:
        return run.paused_reason
    reason = _reason(run)
    store.workers.pause(worker, reason, store.now)
    return reason


def release_worker(store: Store, name: str) -> Worker:
    """Let a worker claim again, as if it had not failed."""
    store.workers.release(name)
    found = store.workers.one(name)
    if found is None:
        raise WorkerNotFound(name)
    store.announce(Signal.WORK)
    return found


def _fails_alone(store: Store, worker: str, run: Run, failures: int) -> bool:
    return 0 < failures <= run.failures_in_a_row and store.workers.others_succeed(worker, run)


def _reason(run: Run) -> str:
    return (
        f"Its last {run.failures_in_a_row} trials failed, while others completed trials of {run.failing_objective!r}. "
        "Mend what is wrong where it runs, and release it."
    )
