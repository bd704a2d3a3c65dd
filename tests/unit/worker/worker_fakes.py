"""A server in memory, and a session that only listens."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from client import ApiError
from client.errors import error_of
from service.protocol import Claimed, ClaimedTrial, Epoch, ReportAnswer
from worker.stopping import Halt, Stopped


def refusal(status: int, slug: str) -> ApiError:
    """The exception for a problem that a server tells."""
    problem = {"type": f"/problems/{slug}", "title": slug, "status": status, "detail": slug}
    return error_of("http://server", status, json.dumps(problem).encode())


class Clock:
    """One that stands still until it is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class FakeServer:
    """Answers a worker's calls from a script of errors, and keeps what was asked."""

    errors: dict[str, list[Exception]] = field(default_factory=dict)
    actions: list[str] = field(default_factory=list)
    report_at: list[int] = field(default_factory=list)
    next_trials: list[ClaimedTrial] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    watch: Callable[[], object] = lambda: None

    def _called(self, name: str, **told: Any) -> None:
        self.calls.append((name, told))
        self.watch()
        if self.errors.get(name):
            raise self.errors[name].pop(0)

    def report(self, trial: int, lease: str, epochs: Sequence[Epoch] = (), *, claim_next: int = 0) -> ReportAnswer:
        self._called("report", epochs=[epoch.epoch for epoch in epochs], lease=lease, claim_next=claim_next)
        action = self.actions.pop(0) if self.actions else "continue"
        report_at = self.report_at.pop(0) if self.report_at else None
        trials = self.next_trials if claim_next and action == "stop" else []
        said = {"action": action, "reason": None, "expires_at": None, "report_at": report_at}
        return ReportAnswer.model_validate({**said, "claimed": Claimed(trials=trials)})

    def upload_weights(self, trial: int, lease: str, content: bytes) -> None:
        self._called("upload_weights", content=content)

    def complete(self, trial: int, lease: str, value: float, **told: Any) -> Any:
        self._called("complete", value=value, **told)
        return SimpleNamespace(claimed=SimpleNamespace(trials=self.next_trials))

    def fail(self, trial: int, lease: str, reason: str, message: str, **told: Any) -> None:
        self._called("fail", reason=reason, message=message, **told)

    def release(self, trial: int, lease: str, epochs: Sequence[Epoch] = ()) -> None:
        self._called("release", trial=trial, epochs=[epoch.epoch for epoch in epochs])

    def with_retry(self, _: object) -> "FakeServer":
        return self

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]


@dataclass
class Listener:
    """A session that keeps what it hears, and stops after as many epochs as it is told."""

    stops_after: int | None = None
    epochs: list[Mapping[str, object]] = field(default_factory=list)

    def report(self, epoch: Mapping[str, object]) -> None:
        self.epochs.append(epoch)
        self.check()

    def check(self) -> None:
        if self.stops_after is not None and len(self.epochs) >= self.stops_after:
            raise Stopped(Halt.STOP)
