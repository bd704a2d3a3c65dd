"""Writes the page that Prometheus reads, which tells of all the processes of a server, whichever of them is asked."""

import os
import platform
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version

from prometheus_client import CONTENT_TYPE_LATEST as MEDIA_TYPE
from prometheus_client import CollectorRegistry as Counted
from prometheus_client import generate_latest
from prometheus_client import multiprocess as processes
from prometheus_client.core import GaugeMetricFamily

from service.domain.status import StudyStatus
from service.storage.census import Census

__all__ = ["MEDIA_TYPE", "Counted", "page", "process_ended", "shared_by_processes"]

# Where the library has the processes of a server keep their counters together.
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
STUDIES = tuple(StudyStatus)
TRIALS = ("waiting", "running")
WORKERS = ("active", "idle", "away", "paused")


def page(counted: Counted, census: Census, database: str) -> bytes:
    """All there is to tell, in Prometheus's text format."""
    now = Counted()
    now.register(_Now(lambda: _families(census, database)))
    return generate_latest(_of_all_processes(counted)) + generate_latest(now)


def _of_all_processes(own: Counted) -> Counted:
    if FOLDER not in os.environ:
        return own
    registry = Counted()
    processes.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


@contextmanager
def shared_by_processes() -> Iterator[None]:
    """Have the processes started in this block, by spawning, count together; whichever is asked tells of all."""
    with tempfile.TemporaryDirectory(prefix="shibori-metrics-") as folder:
        os.environ[FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[FOLDER]


def process_ended(pid: int) -> None:
    """Nothing waits in a process that has ended; what it has counted stays counted."""
    if FOLDER in os.environ:
        processes.mark_process_dead(pid)  # type: ignore[no-untyped-call]


class _Now:
    """What is so at the moment of asking."""

    def __init__(self, families: Callable[[], Iterable[GaugeMetricFamily]]) -> None:
        self._families = families

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return self._families()


def _families(census: Census, database: str) -> Iterator[GaugeMetricFamily]:
    build = {"version": version("shibori"), "python": platform.python_version(), "database": database}
    about = GaugeMetricFamily("shibori_build_info", "What runs here", labels=list(build))
    about.add_metric(list(build.values()), 1)
    yield about
    yield _family("shibori_studies", "Studies", "status", STUDIES, census.studies)
    yield _family("shibori_trials", "Trials that wait or run", "status", TRIALS, census.trials)
    yield _family("shibori_workers", "Workers by what they do", "state", WORKERS, census.workers)
    yield GaugeMetricFamily("shibori_suggestions_waiting", "Suggestions nobody has claimed", value=census.suggestions)


def _family(name: str, text: str, label: str, values: Iterable[str], counts: Mapping[str, int]) -> GaugeMetricFamily:
    """One sample for each value that there is, be it of nothing."""
    family = GaugeMetricFamily(name, text, labels=[label])
    for value in values:
        family.add_metric([value], counts.get(value, 0))
    return family
