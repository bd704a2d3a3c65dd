"""Since when a server has been there without a gap, which those whose leases have run out could have used."""

from datetime import datetime, timedelta

from service.domain.study import RENEWALS_PER_LEASE

LENGTHS = 14
"""So many times doubled, three seconds are more than a third of the longest lease."""


class Presence:
    """Noted by whoever looks at the leases again and again; longer than `away_seconds` between two notes is a gap.

    A process that is stopped or a machine that is suspended does not notice it by itself: the next time that is
    compared tells. A clock that was set back by as much is no less of a gap, for the times before it say nothing now.
    """

    def __init__(self, away_seconds: float) -> None:
        self._away = timedelta(seconds=away_seconds)
        # In one piece, since claims read it beside whoever notes.
        self._span: tuple[datetime, datetime] | None = None
        self._back_at: datetime | None = None

    def begin(self, now: datetime) -> None:
        """Be there from now on, whatever was before."""
        self._span, self._back_at = (now, now), None

    def gap(self, now: datetime) -> timedelta:
        """How long it has been away by now; negative where the clock was set back."""
        return timedelta() if self._span is None else now - self._span[1]

    def resume(self, now: datetime) -> None:
        """Be there again: the gap counts as no time at all."""
        if self._span is not None:
            self._span, self._back_at = (self._span[0] + self.gap(now), now), None

    def note(self, now: datetime) -> None:
        """Be there still, unless there was a gap: only a beginning or a return ends that."""
        if self._span is not None and self.lasts(now):
            # What was before a clock was set back a little lies as much earlier.
            self._span, self._back_at = (self._span[0] + min(self.gap(now), timedelta()), now), None

    def stand_by(self, now: datetime) -> None:
        """Be there without the lead: after a gap anew, but only when it is clear that the lead does not come back.

        Who led before the gap may lead again when it has heard from the database, and then ends the gap by a return.
        """
        if self.lasts(now):
            self.note(now)
        elif self._span is not None and self._back_at is None:
            self._back_at = now
        elif self._back_at is None or abs(now - self._back_at) > self._away:
            self.begin(now)

    def another(self, now: datetime) -> "Presence":
        """One with gaps of the same length, begun now."""
        other = Presence(self._away.total_seconds())
        other.begin(now)
        return other

    @property
    def begun(self) -> bool:
        return self._span is not None

    def lasts(self, now: datetime) -> bool:
        """Whether there was no gap up to now."""
        return self._span is not None and abs(now - self._span[1]) <= self._away

    def covers(self, seconds: float, now: datetime) -> bool:
        """Whether there was none in the last so many seconds."""
        return self._span is not None and self.lasts(now) and now - self._span[0] >= timedelta(seconds=seconds)

    def suits(self, lease_seconds: float) -> bool:
        """Whether leases of this length outlast what is no gap, for they are renewed in between."""
        return self._away <= timedelta(seconds=lease_seconds / RENEWALS_PER_LEASE)


class Attendance:
    """A presence for short leases and for longer ones, which outlast a time that is the end of a short one.

    Where every write takes some seconds, there would otherwise be nothing but gaps.
    """

    def __init__(self, away_seconds: float = 0.0) -> None:
        self._all = [Presence(away_seconds * 2**length) for length in range(LENGTHS)]
        self._out_of_reach: dict[str, datetime] = {}
        self._regained: dict[str, datetime] = {}

    def of(self, lease_seconds: float) -> Presence:
        """The one with the longest gaps that such leases outlast, or else the shortest there are."""
        return next((one for one in reversed(self._all) if one.suits(lease_seconds)), self._all[0])

    def begin(self, now: datetime) -> None:
        self._out_of_reach.clear()
        self._regained.clear()
        for one in self._all:
            one.begin(now)

    @property
    def out_of_reach(self) -> dict[str, datetime]:
        """Studies that nobody can get at, so that whoever has a lease in one cannot renew it, and since when."""
        return dict(self._out_of_reach)

    def lose(self, study_id: str, now: datetime) -> None:
        """A study is out of reach."""
        self._out_of_reach.setdefault(study_id, now)

    def regain(self, study_id: str, now: datetime) -> None:
        """It is within reach again, and those who have a lease in it have that time back."""
        self._out_of_reach.pop(study_id, None)
        self._regained[study_id] = now

    def was_within_reach(self, study_id: str, lease_seconds: float, until: datetime) -> bool:
        """Whether a study was so for a whole lease, up to when it was out of reach."""
        last = self._regained.get(study_id)
        return last is None or until - last >= timedelta(seconds=lease_seconds)

    def note(self, now: datetime) -> None:
        for one in self._all:
            one.note(now)

    def stand_by(self, now: datetime) -> None:
        for one in self._all:
            one.stand_by(now)

    @property
    def begun(self) -> bool:
        return self._all[0].begun

    def interrupted(self, now: datetime) -> list[Presence]:
        """Those of which there is a gap by now."""
        return [one for one in self._all if not one.lasts(now)]

    def covers(self, study_id: str, lease_seconds: float, now: datetime) -> bool:
        """Whether all of the last so many seconds could be used by who has such a lease in a study."""
        return study_id not in self._out_of_reach and self.of(lease_seconds).covers(lease_seconds, now)


class Absence:
    """What was missed of an attendance, while it is made good by longer leases."""

    def __init__(self, attendance: Attendance, now: datetime) -> None:
        self._attendance, self._now = attendance, now
        self._since = {presence: presence.another(now) for presence in attendance.interrupted(now)}

    @property
    def since(self) -> datetime:
        """When somebody could last renew a lease."""
        return self._now - max((presence.gap(self._now) for presence in self._since), default=timedelta())

    def missed(self, lease_seconds: float) -> timedelta | None:
        """How long nobody could renew such a lease; None where that was no gap."""
        presence = self._attendance.of(lease_seconds)
        # A clock that was set back has taken no time from anybody.
        return max(presence.gap(self._now), timedelta()) if presence in self._since else None

    def note(self, now: datetime) -> None:
        """Be there still, while it is made good."""
        self._attendance.note(now)
        for since in self._since.values():
            since.note(now)

    def end(self, now: datetime) -> None:
        """Be there again, now that it is made good."""
        for presence, since in self._since.items():
            # Another gap meanwhile was not made good: it goes on from where this one ended.
            presence.resume(now if since.lasts(now) else self._now)
