"""Studies: their specification, where they stand, and the counts of their trials."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import sqlalchemy as sa
from pydantic import TypeAdapter

from service.domain.errors import StudyNameTaken, StudyNotFound
from service.domain.status import Purpose, StudyStatus, TrialStatus
from service.domain.study import Spec, Study
from service.storage.tables import studies, study_tags, trial_counts

_SPEC: TypeAdapter[Spec] = TypeAdapter(Spec)


@lru_cache(maxsize=1024)
def spec_from_json(text: str) -> Spec:
    """What the domain reads of a specification as it was submitted."""
    submitted = json.loads(text)
    return _SPEC.validate_python(submitted | {"space": {"parameters": submitted["space"]}})


@dataclass(frozen=True, slots=True)
class StudyFilter:
    status: StudyStatus | None = None
    tag: str | None = None
    name: str | None = None


class Studies:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, study: Study, tags: Sequence[str]) -> None:
        try:
            with self._connection.begin_nested():
                self._connection.execute(sa.insert(studies).values(_columns(study)))
        except sa.exc.IntegrityError as error:
            raise StudyNameTaken(study.name) from error
        counts = [
            {"study_id": study.id, "purpose": purpose, "status": status, "trials": 0}
            for purpose in Purpose
            for status in TrialStatus
        ]
        self._connection.execute(sa.insert(trial_counts), counts)
        self.retag(study.id, tags)

    def get(self, study: str, *, lock: bool = False) -> Study:
        """A study by id or name; a locked one stays as it is until the end of the transaction."""
        found = sa.select(studies).where(sa.or_(studies.c.id == study, studies.c.name == study))
        # An id is never refused as a name, so that both may match: the id counts.
        rows = self._connection.execute(found.with_for_update() if lock else found).all()
        if not rows:
            raise StudyNotFound(study)
        row = next((row for row in rows if row.id == study), rows[0])
        return _study(row, self.counts(row.id, Purpose.SEARCH))

    def page(self, wanted: StudyFilter, after: tuple[datetime, str] | None, limit: int) -> list[Study]:
        """Studies in the order of their creation, from the one after `after`."""
        query = sa.select(studies).order_by(studies.c.created_at, studies.c.id).limit(limit)
        if wanted.status is not None:
            query = query.where(studies.c.status == wanted.status)
        if wanted.name is not None:
            query = query.where(studies.c.name == wanted.name)
        if wanted.tag is not None:
            tagged = sa.select(study_tags.c.study_id).where(study_tags.c.tag == wanted.tag)
            query = query.where(studies.c.id.in_(tagged))
        if after is not None:
            query = query.where(sa.tuple_(studies.c.created_at, studies.c.id) > sa.tuple_(*after))
        return [_study(row, self.counts(row.id, Purpose.SEARCH)) for row in self._connection.execute(query).all()]

    def claimable(self, objectives: Sequence[str], statuses: Sequence[StudyStatus]) -> list[str]:
        """The ids of studies that a worker with these objectives may serve, oldest first."""
        rows = self._connection.execute(
            sa.select(studies.c.id)
            .where(studies.c.status.in_(statuses), studies.c.objective.in_(objectives))
            .order_by(studies.c.created_at, studies.c.id)
        )
        return [row.id for row in rows]

    def running(self) -> list[str]:
        rows = self._connection.execute(sa.select(studies.c.id).where(studies.c.status == StudyStatus.RUNNING))
        return [row.id for row in rows]

    def out_of_time(self, now: datetime) -> list[str]:
        """The ids of studies whose wall time has run out since somebody last looked."""
        rows = self._connection.execute(
            sa.select(studies.c.id).where(studies.c.ends_at <= now, studies.c.ended_by.is_(None))
        )
        return [row.id for row in rows]

    def update(self, study_id: str, **values: object) -> None:
        self._connection.execute(sa.update(studies).where(studies.c.id == study_id).values(**values))

    def draw_numbers(self, study_id: str, count: int, *, budgeted: bool) -> int:
        """Take the next `count` numbers of a study and return the first."""
        after = self._connection.scalar(
            sa.update(studies)
            .where(studies.c.id == study_id)
            .values(
                next_number=studies.c.next_number + count,
                budgeted=studies.c.budgeted + (count if budgeted else 0),
            )
            .returning(studies.c.next_number)
        )
        return int(after or 0) - count

    def add_to(self, study_id: str, *, budgeted: int = 0, epochs: int = 0) -> None:
        if budgeted or epochs:
            self.update(study_id, budgeted=studies.c.budgeted + budgeted, epochs=studies.c.epochs + epochs)

    def retag(self, study_id: str, tags: Sequence[str]) -> None:
        self._connection.execute(sa.delete(study_tags).where(study_tags.c.study_id == study_id))
        if tags:
            rows = [{"study_id": study_id, "tag": tag} for tag in dict.fromkeys(tags)]
            self._connection.execute(sa.insert(study_tags), rows)

    def delete(self, study_id: str) -> None:
        self._connection.execute(sa.delete(studies).where(studies.c.id == study_id))

    def counts(self, study_id: str, purpose: Purpose) -> Mapping[TrialStatus, int]:
        rows = self._connection.execute(
            sa.select(trial_counts.c.status, trial_counts.c.trials).where(
                trial_counts.c.study_id == study_id, trial_counts.c.purpose == purpose
            )
        )
        return {TrialStatus(row.status): row.trials for row in rows}


def _columns(study: Study) -> dict[str, object]:
    return {
        "id": study.id,
        "name": study.name,
        "objective": study.spec.objective.name,
        "status": study.status,
        "spec": study.submitted,
        "round": study.round,
        "next_number": study.next_number,
        "budgeted": study.budgeted,
        "epochs": study.epochs,
        "last_event": study.last_event,
        "ended_by": study.ended_by,
        "created_at": study.created_at,
        "started_at": study.started_at,
        "finished_at": study.finished_at,
    }


def _study(row: sa.Row[tuple[object, ...]], counts: Mapping[TrialStatus, int]) -> Study:
    fields = row._asdict()
    text, status = fields.pop("spec"), fields.pop("status")
    for column in ("name", "objective", "ends_at"):
        del fields[column]
    return Study(spec=spec_from_json(text), submitted=text, status=StudyStatus(status), counts=counts, **fields)
