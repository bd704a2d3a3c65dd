"""Lets a study search on whose search had run out of points."""

from service.domain.status import StudyStatus
from service.domain.study import Study
from service.storage.events import EventKind
from service.storage.store import Store


def search_on_after_space(store: Store, study: Study) -> None:
    """Take back that the space was used up, where another box or another search may find more in it."""
    if study.ended_by != "space":
        return
    if study.status is StudyStatus.COMPLETED and study.room != 0:
        store.studies.update(study.id, status=StudyStatus.RUNNING, ended_by=None, finished_at=None)
        store.events.append(study.id, EventKind.STATUS, store.now)
    elif study.status is not StudyStatus.COMPLETED:
        store.studies.update(study.id, ended_by=None)
