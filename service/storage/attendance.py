"""Since when a server has been there without a gap, which those whose leases have run out could have used."""

from datetime import datetime, timedelta


class Attendance:
    """Noted by whoever looks at the leases again and again; longer than `away_seconds` between two notes is a gap.

    A process that is stopped or a machine that is suspended does not notice it by itself: the next time that is
    compared tells.
    """

    def __init__(self, away_seconds: float = 0.0) -> None:
        self._away = timedelta(seconds=away_seconds)
        # In one piece, since claims read it beside whoever notes.
        self._span: tuple[datetime, datetime] | None = None

    def begin(self, now: datetime) -> None:
        """Be there from now on, whatever was before."""
        self._span = (now, now)

    def gap(self, now: datetime) -> timedelta:
        """How long it has been away by now."""
        return timedelta() if self._span is None else max(now - self._span[1], timedelta())

    def resume(self, now: datetime) -> None:
        """Be there again: the gap counts as no time at all."""
        if self._span is not None:
            self._span = (self._span[0] + self.gap(now), now)

    def note(self, now: datetime) -> None:
        """Be there still, unless there was a gap: only a beginning or a return ends that."""
        if self._span is not None and self.lasts(now):
            since, until = self._span
            self._span = (since, max(until, now))

    @property
    def begun(self) -> bool:
        return self._span is not None

    def lasts(self, now: datetime) -> bool:
        """Whether there was no gap up to now."""
        return self._span is not None and now - self._span[1] <= self._away

    def covers(self, seconds: float, now: datetime) -> bool:
        """Whether there was none in the last so many seconds."""
        return self._span is not None and self.lasts(now) and now - self._span[0] >= timedelta(seconds=seconds)
