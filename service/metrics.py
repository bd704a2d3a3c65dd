"""Counts what the server does, for Prometheus."""

from collections.abc import Callable, Sequence
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from service.domain.facts import Fact, Happening
from service.domain.status import FailureReason

QUICK_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
# A claim may wait 30 s for work.
REQUEST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 35.0)
SUGGESTION_SECONDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
UNITS = (1, 2, 4, 8, 16, 32, 64)
COUNTED = {
    Happening.TRIAL_CLAIMED: ("shibori_trials_claimed", "Leases given"),
    Happening.REPORTED: ("shibori_reports", "Reports taken in, heartbeats among them"),
    Happening.EPOCHS_ADDED: ("shibori_epochs_reported", "Epochs added to learning curves"),
    Happening.COMPLETED: ("shibori_completions", "Trials completed"),
    Happening.PRUNED: ("shibori_prunings", "Trials stopped early"),
    Happening.CANCELLED: ("shibori_cancellations", "Trials cancelled while they ran"),
    Happening.RELEASED: ("shibori_releases", "Trials given back by their workers"),
    Happening.LEASE_TAKEN_BACK: ("shibori_leases_taken_back", "Leases that ran out"),
    Happening.LEASE_LOST: ("shibori_leases_lost", "Writes refused since their lease was no longer held"),
    Happening.TRIED_AGAIN: ("shibori_retries", "Trials that wait for another attempt"),
    Happening.REPLAYED: ("shibori_replays", "Requests answered with what their Idempotency-Key was answered first"),
}


class Metrics:
    """The counters of one application, in a registry of its own."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry = CollectorRegistry()
        self._counters = {
            happening: Counter(name, text, registry=registry) for happening, (name, text) in COUNTED.items()
        }
        self._claims = Counter("shibori_claims", "Requests that were given trials", registry=registry)
        self._failures = _counter(registry, "failures", "Trials failed", "reason")
        self._retries = _counter(registry, "transaction_retries", "Transactions done again on PostgreSQL", "cause")
        self._requests = _counter(registry, "http_requests", "Requests answered", "method", "route", "status")
        self._request_seconds = _histogram(
            registry, "http_request_seconds", "Time to the end of an answer, waiting for work included", REQUEST_SECONDS
        )("method", "route")
        self._database = _histogram(
            registry, "database_seconds", "Time in the database of units of work, without their commit", QUICK_SECONDS
        )("kind")
        self._commit_seconds = _histogram(registry, "commit_seconds", "Time of a commit", QUICK_SECONDS)()
        self._commit_units = _histogram(registry, "commit_units", "Units of work that shared a commit", UNITS)()
        self._suggestions = _histogram(
            registry, "suggestion_seconds", "Time of an algorithm to suggest", SUGGESTION_SECONDS
        )("algorithm")
        self._writes_waiting = _gauge(registry, "writes_waiting", "Writing units of work that wait for their turn")
        self._claims_waiting = _gauge(registry, "claims_waiting", "Claims that wait for work")
        for reason in FailureReason:
            self._failures.labels(reason.value)

    def happened(self, facts: Sequence[Fact]) -> None:
        for fact in facts:
            if fact.happening is Happening.FAILED:
                self._failures.labels(fact.reason).inc(fact.count)
            else:
                self._counters[fact.happening].inc(fact.count)
        if any(fact.happening is Happening.TRIAL_CLAIMED for fact in facts):
            self._claims.inc()

    def took(self, kind: Literal["read", "write"], seconds: float) -> None:
        self._database.labels(kind).observe(seconds)

    def committed(self, units: int, seconds: float) -> None:
        self._commit_units.observe(units)
        self._commit_seconds.observe(seconds)

    def waits(self, change: int) -> None:
        self._writes_waiting.inc(change)

    def retried(self, cause: str) -> None:
        self._retries.labels(cause).inc()

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method, route, f"{status // 100}xx").inc()
        self._request_seconds.labels(method, route).observe(seconds)

    def suggested(self, algorithm: str, seconds: float) -> None:
        self._suggestions.labels(algorithm).observe(seconds)

    def claims_wait(self, count: int) -> None:
        self._claims_waiting.set(count)


def _counter(registry: CollectorRegistry, name: str, text: str, *labels: str) -> Counter:
    return Counter(f"shibori_{name}", text, labels, registry=registry)


def _histogram(registry: CollectorRegistry, name: str, text: str, buckets: Sequence[float]) -> Callable[..., Histogram]:
    return lambda *labels: Histogram(f"shibori_{name}", text, labels, buckets=buckets, registry=registry)


def _gauge(registry: CollectorRegistry, name: str, text: str) -> Gauge:
    return Gauge(f"shibori_{name}", text, registry=registry, multiprocess_mode="livesum")
