"""What the finished trials of studies have shown, read once and added to as they finish."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.domain.space import PointKey, key_of
from service.domain.status import FINISHED
from service.domain.study import Study
from service.domain.trial import Observation
from service.search.packing import packed
from service.storage.store import Store


@dataclass(frozen=True, slots=True)
class History:
    """Finished trials in the order of their ends, with the keys of their points."""

    seen: tuple[Observation, ...] = ()
    points: frozenset[PointKey] = frozenset()
    pieces: tuple[bytes, ...] = ()
    """The most of it packed, for another process."""
    last_event: int = -1
    """The study's last event that is known."""

    def then(self, more: Sequence[Observation], last_event: int) -> "History":
        points = self.points.union(key_of(one.params) for one in more)
        seen = (*self.seen, *more)
        return History(seen, points, packed(seen, self.pieces), last_event)


class Histories:
    """The histories of studies that run; belongs to one thread."""

    def __init__(self) -> None:
        self._known: dict[str, History] = {}

    def of(self, store: Store, study: Study) -> History:
        """All that is known of a study as it stands in this transaction."""
        known = self._known.get(study.id, History())
        history = known.then(store.trials.observations(study.id, known.last_event), study.last_event)
        if len(history.seen) != sum(study.counts.get(status, 0) for status in FINISHED):
            # A failed trial that tries again is taken out of the middle.
            history = History().then(store.trials.observations(study.id), study.last_event)
        self._known[study.id] = history
        return history

    def keep_only(self, study_ids: Sequence[str]) -> None:
        """Forget all other studies."""
        self._known = {study_id: self._known[study_id] for study_id in study_ids if study_id in self._known}
