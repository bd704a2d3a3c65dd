"""The calls of a worker: claim, report, complete, fail, release. Each is safe to send again as it is."""

from collections.abc import Sequence
from typing import Literal

from client.transport import Transport
from service.protocol import (
    Claimed,
    ClaimRequest,
    CompleteAnswer,
    CompleteRequest,
    Epoch,
    FailRequest,
    ReleaseRequest,
    ReportAnswer,
    ReportRequest,
    TrialView,
)

Reason = Literal["error", "diverged", "timeout"]


class WorkCalls:
    _transport: Transport

    def claim(self, request: ClaimRequest) -> Claimed:
        """Leases on trials, or none when `wait_seconds` ran out."""
        return self._transport.post_keyless("/claims", Claimed, request, request.wait_seconds)

    def report(self, trial: int, lease: str, epochs: Sequence[Epoch] = (), *, claim_next: int = 0) -> ReportAnswer:
        """Sends epochs and renews the lease; claims what comes next where the answer is to stop."""
        body = ReportRequest(lease=lease, epochs=list(epochs), claim_next=claim_next)
        return self._transport.post_keyless(f"/trials/{trial}/report", ReportAnswer, body)

    def upload_weights(self, trial: int, lease: str, content: bytes) -> None:
        """Hands in what a trial has learned, before it is completed."""
        self._transport.put_bytes(f"/trials/{trial}/weights", content, lease=lease)

    def complete(
        self,
        trial: int,
        lease: str,
        value: float,
        *,
        samples: int | None = None,
        epochs: Sequence[Epoch] = (),
        claim_next: int = 0,
    ) -> CompleteAnswer:
        body = CompleteRequest(lease=lease, value=value, samples=samples, epochs=list(epochs), claim_next=claim_next)
        return self._transport.post_keyless(f"/trials/{trial}/complete", CompleteAnswer, body)

    def fail(
        self,
        trial: int,
        lease: str,
        reason: Reason,
        message: str,
        *,
        retryable: bool = False,
        epochs: Sequence[Epoch] = (),
    ) -> TrialView:
        said = {"lease": lease, "reason": reason, "message": message, "retryable": retryable, "epochs": list(epochs)}
        body = FailRequest.model_validate(said)
        return self._transport.post_keyless(f"/trials/{trial}/fail", TrialView, body)

    def release(self, trial: int, lease: str, epochs: Sequence[Epoch] = ()) -> TrialView:
        """Gives a trial back; it does not count as an attempt."""
        body = ReleaseRequest(lease=lease, epochs=list(epochs))
        return self._transport.post_keyless(f"/trials/{trial}/release", TrialView, body)
