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
from service.domain.study import GIVING_UP, Spec, Study
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
        # An id is never refused as a name, so that both may match: the id counts.
        rows = self._connection.execute(_NAMED_AND_LOCKED if lock else _NAMED, {"named": study}).all()
        if not rows:
            raise StudyNotFound(study)
        row = next((row for row in rows if row.id == study), rows[0])
        return study_of(row, self.counts(row.id, Purpose.SEARCH))

    def lock(self, study_id: str, *, wait: bool) -> Study | None:
        """The same by its id; None where another transaction has it locked and this one is not to wait."""
        row = self._connection.execute(_LOCK if wait else _LOCK_IF_FREE, {"of_study": study_id}).one_or_none()
        return None if row is None else study_of(row, self.counts(row.id, Purpose.SEARCH))

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
        return [study_of(row, self.counts(row.id, Purpose.SEARCH)) for row in self._connection.execute(query).all()]

    def claimable(self, objectives: Sequence[str], purposes: Sequence[Purpose]) -> list[str]:
        """The ids of studies that a worker with these objectives may serve, oldest first.

        They run, or are completed and have trials waiting of a purpose other than the search.
        """
        others = [purpose for purpose in purposes if purpose is not Purpose.SEARCH]
        return list(self._connection.scalars(_CLAIMABLE, {"objectives": list(objectives), "others": others}))

    def running(self) -> list[str]:
        return list(self._connection.scalars(_RUNNING))

    def out_of_time(self, now: datetime) -> list[str]:
        """The ids of studies whose wall time has run out since somebody last looked."""
        rows = self._connection.execute(
            sa.select(studies.c.id).where(
                studies.c.ends_at <= now,
                studies.c.status.in_([StudyStatus.RUNNING, StudyStatus.PAUSED]),
                sa.or_(studies.c.ended_by.is_(None), studies.c.ended_by.not_in(GIVING_UP)),
            )
        )
        return [row.id for row in rows]

    def update(self, study_id: str, **values: object) -> None:
        self._connection.execute(_CHANGE, {"of_study": study_id, **values})

    def draw_numbers(self, study_id: str, count: int, *, budgeted: bool) -> int:
        """Take the next `count` numbers of a study and return the first."""
        taken = {"of_study": study_id, "numbers": count, "budget": count if budgeted else 0}
        after = self._connection.scalar(_DRAW_NUMBERS, taken)
        return int(after or 0) - count

    def add_to(self, study_id: str, *, budgeted: int = 0, epochs: int = 0) -> None:
        if budgeted or epochs:
            self._connection.execute(_ADD_TO, {"of_study": study_id, "budget": budgeted, "more": epochs})

    def retag(self, study_id: str, tags: Sequence[str]) -> None:
        self._connection.execute(sa.delete(study_tags).where(study_tags.c.study_id == study_id))
        if tags:
            rows = [{"study_id": study_id, "tag": tag} for tag in dict.fromkeys(tags)]
            self._connection.execute(sa.insert(study_tags), rows)

    def delete(self, study_id: str) -> None:
        self._connection.execute(sa.delete(studies).where(studies.c.id == study_id))

    def running_trials(self, study_id: str) -> int:
        """How many trials of a study run, whatever their purpose."""
        return sum(self.counts(study_id, purpose).get(TrialStatus.RUNNING, 0) for purpose in Purpose)

    def counts(self, study_id: str, purpose: Purpose) -> Mapping[TrialStatus, int]:
        rows = self._connection.execute(_COUNTS, {"of_study": study_id, "of_purpose": purpose})
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


def study_of(row: sa.Row[tuple[object, ...]], counts: Mapping[TrialStatus, int]) -> Study:
    """A study as its row has it, with the counts of its search trials."""
    fields = row._asdict()
    text, status = fields.pop("spec"), fields.pop("status")
    for column in ("name", "objective", "ends_at"):
        del fields[column]
    return Study(spec=spec_from_json(text), submitted=text, status=StudyStatus(status), counts=counts, **fields)


# Statements that every trial passes through are built once: building one costs more than running it.
_NAMED = sa.select(studies).where(
    sa.or_(studies.c.id == sa.bindparam("named"), studies.c.name == sa.bindparam("named"))
)
_NAMED_AND_LOCKED = _NAMED.with_for_update()
_LOCK = sa.select(studies).where(studies.c.id == sa.bindparam("of_study")).with_for_update()
_LOCK_IF_FREE = sa.select(studies).where(studies.c.id == sa.bindparam("of_study")).with_for_update(skip_locked=True)
_HAS_OTHERS_WAITING = sa.exists().where(
    trial_counts.c.study_id == studies.c.id,
    trial_counts.c.purpose.in_(sa.bindparam("others", expanding=True)),
    trial_counts.c.status == TrialStatus.WAITING,
    trial_counts.c.trials > 0,
)
_CLAIMABLE = (
    sa.select(studies.c.id)
    .where(
        studies.c.objective.in_(sa.bindparam("objectives", expanding=True)),
        sa.or_(
            studies.c.status == StudyStatus.RUNNING,
            sa.and_(studies.c.status == StudyStatus.COMPLETED, _HAS_OTHERS_WAITING),
        ),
    )
    .order_by(studies.c.created_at, studies.c.id)
)
_RUNNING = sa.select(studies.c.id).where(studies.c.status == StudyStatus.RUNNING)
_CHANGE = sa.update(studies).where(studies.c.id == sa.bindparam("of_study"))
_DRAW_NUMBERS = _CHANGE.values(
    next_number=studies.c.next_number + sa.bindparam("numbers"), budgeted=studies.c.budgeted + sa.bindparam("budget")
).returning(studies.c.next_number)
_ADD_TO = _CHANGE.values(
    budgeted=studies.c.budgeted + sa.bindparam("budget"), epochs=studies.c.epochs + sa.bindparam("more")
)
_COUNTS = sa.select(trial_counts.c.status, trial_counts.c.trials).where(
    trial_counts.c.study_id == sa.bindparam("of_study"), trial_counts.c.purpose == sa.bindparam("of_purpose")
)
