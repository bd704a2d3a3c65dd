"""The calls about the trials of a study: list, curves, the best, enqueue, cancel, retry."""

from collections.abc import Iterator, Sequence

from client.studies import path_of
from client.transport import API, Request, Transport
from service.protocol import (
    Best,
    Curve,
    CurveRetention,
    ForgottenCurves,
    GivenTrial,
    GivenTrials,
    Replay,
    TrialDetail,
    TrialList,
    TrialPage,
    TrialView,
)

PAGE = 1_000


class TrialCalls:
    _transport: Transport

    def trials(
        self,
        study: str,
        *,
        status: str | None = None,
        round: int | None = None,
        purpose: str | None = None,
        sort: str = "number",
    ) -> Iterator[TrialView]:
        """All of them, page by page; those of the search, unless another purpose is named."""
        cursor: str | None = None
        path = f"{path_of(study)}/trials"
        while True:
            page = self._transport.get(
                path, TrialPage, status=status, round=round, purpose=purpose, sort=sort, limit=PAGE, cursor=cursor
            )
            yield from page.items
            if (cursor := page.next_cursor) is None:
                return

    def trial(self, study: str, number: int) -> TrialDetail:
        return self._transport.get(_trial(study, number), TrialDetail)

    def curve(self, study: str, number: int) -> Curve:
        return self._transport.get_open(f"{_trial(study, number)}/curve", Curve)

    def forget_curves(self, study: str, retention: CurveRetention) -> Iterator[ForgottenCurves]:
        """Removes the curves of old trials, part by part until all are looked at."""
        cursor = retention.cursor
        while True:
            asked = retention.model_copy(update={"cursor": cursor})
            done = self._transport.post(f"{path_of(study)}/forget-curves", ForgottenCurves, asked)
            yield done
            if (cursor := done.next_cursor) is None:
                return

    def replay(self, study: str, number: int) -> Replay:
        """Computes the suggestion of a trial again, from what was known then."""
        return self._transport.get(f"{_trial(study, number)}/replay", Replay)

    def enqueue(self, study: str, trials: Sequence[GivenTrial]) -> TrialList:
        """Values by hand; one with a value of its own is imported as finished."""
        return self._transport.post(f"{path_of(study)}/trials", TrialList, GivenTrials(trials=list(trials)))

    def import_all(self, study: str, trials: Sequence[GivenTrial]) -> None:
        """Any number of results from elsewhere, in as many requests as it takes."""
        for start in range(0, len(trials), PAGE):
            self.enqueue(study, trials[start : start + PAGE])

    def warm_start(self, study: str, other: str) -> TrialList:
        """Imports what another study has completed; what is there already is left out."""
        return self._transport.post(f"{path_of(study)}/trials", TrialList, GivenTrials(from_study=other))

    def cancel(self, study: str, number: int) -> TrialView:
        return self._transport.post(f"{_trial(study, number)}/cancel", TrialView)

    def retry(self, study: str, number: int) -> TrialView:
        return self._transport.post(f"{_trial(study, number)}/retry", TrialView)

    def best_model(self, study: str) -> bytes:
        """What the best trial has learned, as its worker packed it: `trainer.saved.load` reads what the net saved."""
        return self._transport.send(Request("GET", f"{API}{path_of(study)}/best-model"))

    def best(self, study: str, n: int = 5, *, round: int | None = None) -> Best:
        return self._transport.get(f"{path_of(study)}/best", Best, n=n, round=round)

    def best_text(self, study: str, n: int = 5, *, round: int | None = None) -> str:
        """The best N as lines of the form `Best-1 (val acc:0.83) | lr:0.0092`."""
        query = {"n": n, "round": round}
        request = Request("GET", f"{API}{path_of(study)}/best", query, headers={"Accept": "text/plain"})
        return self._transport.send(request).decode()


def _trial(study: str, number: int) -> str:
    return f"{path_of(study)}/trials/{number}"
