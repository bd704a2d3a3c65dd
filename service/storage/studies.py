"""Studies: their specification, where they stand, and the counts of their trials."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from heapq import merge
from typing import TypeAlias

import sqlalchemy as sa
from pydantic import TypeAdapter

from service.domain.errors import StudyNameTaken, StudyNotFound
from service.domain.status import Purpose, StudyStatus, TrialStatus
from service.domain.study import GIVING_UP, Spec, Study
from service.storage.counts_when_asked import CountsWhenAsked
from service.storage.prepared import Prepared, Record
from service.storage.savepoints import savepoint
from service.storage.tables import MAY_GIVE, studies, study_tags, trial_counts, trials

_SPEC: TypeAdapter[Spec] = TypeAdapter(Spec)
CLAIMABLE_AT_ONCE = 32
Traces: TypeAlias = tuple[int, int, int, int]


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
    """`on_lock` hears of each study that has just been locked, which may have been waited for."""

    def __init__(self, connection: sa.Connection, on_lock: Callable[[], None]) -> None:
        self._connection, self._on_lock = connection, on_lock
        self.waits_for: str | None = None
        """The study whose lock is being waited for."""

    def add(self, study: Study, tags: Sequence[str]) -> None:
        try:
            with savepoint(self._connection):
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
        rows = (_NAMED_AND_LOCKED if lock else _NAMED).rows(self._connection, {"named": study})
        if lock:
            self._on_lock()
        if not rows:
            raise StudyNotFound(study)
        return self._study(next((row for row in rows if row["id"] == study), rows[0]))

    def of_trial(self, trial_id: int) -> Study | None:
        """The study of a trial, locked until the end of the transaction; None where there is no such trial."""
        row = _LOCK_STUDY_OF.row(self._connection, {"of_trial": trial_id})
        self._on_lock()
        return None if row is None else self._study(row)

    def lock(self, study_id: str, *, wait: bool) -> Study | None:
        """The same by its id; None where another transaction has it locked and this one is not to wait."""
        self.waits_for = study_id if wait else None
        row = (_LOCK if wait else _LOCK_IF_FREE).row(self._connection, {"of_study": study_id})
        self.waits_for = None
        self._on_lock()
        return None if row is None else self._study(row)

    def page(self, wanted: StudyFilter, after: tuple[datetime, str] | None, limit: int) -> list[Study]:
        """Studies in the order of their creation, from the one after `after`."""
        query = sa.select(studies).where(_THERE).order_by(studies.c.created_at, studies.c.id).limit(limit)
        if wanted.status is not None:
            query = query.where(studies.c.status == wanted.status)
        if wanted.name is not None:
            query = query.where(studies.c.name == wanted.name)
        if wanted.tag is not None:
            tagged = sa.select(study_tags.c.study_id).where(study_tags.c.tag == wanted.tag)
            query = query.where(studies.c.id.in_(tagged))
        if after is not None:
            query = query.where(sa.tuple_(studies.c.created_at, studies.c.id) > sa.tuple_(*after))
        rows = [dict(row) for row in self._connection.execute(query).mappings()]
        counts = self._counts_of([row["id"] for row in rows])
        return [study_of(row, counts[row["id"]]) for row in rows]

    def claimable(self, objectives: Sequence[str]) -> Iterator[str]:
        """The ids of studies that may have something for a worker with these objectives, oldest first."""
        found = merge(*(self._claimable(objective) for objective in dict.fromkeys(objectives)))
        return (study_id for _, study_id in found)

    def rest(self, study_id: str) -> bool:
        """Note that a study has nothing for anybody until something changes in it; false where that is known."""
        return _REST.change(self._connection, {"of_study": study_id}) == 1

    def stir(self, study_id: str) -> None:
        """Note that a study may have something to give again."""
        _CHANGE.change(self._connection, {"of_study": study_id, "idle": False})

    def running(self) -> dict[str, Traces]:
        """The studies that run, each with what a claim, an end or a new trial leaves behind."""
        rows = self._connection.execute(_RUNNING)
        return {study_id: (event, number, waiting, running) for study_id, event, number, waiting, running in rows}

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
        _CHANGE.change(self._connection, {"of_study": study_id, "idle": False, **values})

    def draw_numbers(self, study_id: str, count: int, *, budgeted: bool) -> int:
        """Take the next `count` numbers of a study and return the first."""
        taken = {"of_study": study_id, "numbers": count, "budget": count if budgeted else 0}
        drawn = _DRAW_NUMBERS.rows(self._connection, taken)
        return int(drawn[0]["next_number"]) - count

    def add_to(self, study_id: str, *, budgeted: int = 0, epochs: int = 0) -> None:
        if budgeted:
            _ADD_TO_BUDGETED.change(self._connection, {"of_study": study_id, "more": budgeted})
        if epochs:
            _ADD_TO_EPOCHS.change(self._connection, {"of_study": study_id, "more": epochs})

    def retag(self, study_id: str, tags: Sequence[str]) -> None:
        self._connection.execute(sa.delete(study_tags).where(study_tags.c.study_id == study_id))
        if tags:
            rows = [{"study_id": study_id, "tag": tag} for tag in dict.fromkeys(tags)]
            self._connection.execute(sa.insert(study_tags), rows)

    def delete(self, study_id: str, name: str, now: datetime) -> None:
        """Let nobody see a study any more, and free its name for another; most of its rows are removed later.

        What runs goes at once, so that none of its leases is left to be looked for.
        """
        _CHANGE.change(
            self._connection,
            {"of_study": study_id, "name": name, "status": StudyStatus.STOPPED, "idle": True, "deleted_at": now},
        )
        for leftover in (study_tags, trial_counts):
            self._connection.execute(sa.delete(leftover).where(leftover.c.study_id == study_id))
        leased = sa.delete(trials).where(trials.c.study_id == study_id, trials.c.lease_expires_at.is_not(None))
        self._connection.execute(leased)

    def running_trials(self, study_id: str) -> int:
        """How many trials of a study run, whatever their purpose."""
        return sum(self.counts(study_id, purpose).get(TrialStatus.RUNNING, 0) for purpose in Purpose)

    def _counts_of(self, study_ids: Sequence[str]) -> Mapping[str, Mapping[TrialStatus, int]]:
        """The counts of the search trials of several studies."""
        found: dict[str, dict[TrialStatus, int]] = {study_id: {} for study_id in study_ids}
        for row in self._connection.execute(_COUNTS_OF, {"of_studies": list(study_ids), "of_purpose": Purpose.SEARCH}):
            found[row.study_id][TrialStatus(row.status)] = row.trials
        return found

    def _claimable(self, objective: str) -> Iterator[tuple[datetime, str]]:
        """Read a few at a time: the first one often has all that is asked for."""
        found = self._connection.execute(_CLAIMABLE, {"objective": objective}).all()
        while found:
            yield from ((row.created_at, row.id) for row in found)
            last = {"objective": objective, "created_at": found[-1].created_at, "id": found[-1].id}
            full = len(found) == CLAIMABLE_AT_ONCE
            found = self._connection.execute(_MORE_CLAIMABLE, last).all() if full else []

    def counts(self, study_id: str, purpose: Purpose) -> Mapping[TrialStatus, int]:
        rows = _COUNTS.rows(self._connection, {"of_study": study_id, "of_purpose": purpose})
        return {TrialStatus(row["status"]): row["trials"] for row in rows}

    def _study(self, row: Record) -> Study:
        return study_of(row, CountsWhenAsked(partial(self.counts, row["id"], Purpose.SEARCH)))


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
        "idle": False,
        "ended_by": study.ended_by,
        "created_at": study.created_at,
        "started_at": study.started_at,
        "finished_at": study.finished_at,
    }


def study_of(row: Record, counts: Mapping[TrialStatus, int]) -> Study:
    """A study as its row has it, with the counts of its search trials."""
    text, status = row.pop("spec"), row.pop("status")
    for column in ("name", "objective", "ends_at", "idle", "deleted_at"):
        del row[column]
    return Study(spec=spec_from_json(text), submitted=text, status=StudyStatus(status), counts=counts, **row)


# Statements that every trial passes through are built once: building one costs more than running it.
_THERE = studies.c.deleted_at.is_(None)
_SELECT_NAMED = sa.select(studies).where(
    _THERE,
    sa.or_(studies.c.id == sa.bindparam("named"), studies.c.name == sa.bindparam("named")),
)
_NAMED, _NAMED_AND_LOCKED = Prepared(_SELECT_NAMED), Prepared(_SELECT_NAMED.with_for_update())
_SELECT_ONE = sa.select(studies).where(_THERE, studies.c.id == sa.bindparam("of_study"))
_LOCK = Prepared(_SELECT_ONE.with_for_update())
_STUDY_OF = sa.select(trials.c.study_id).where(trials.c.id == sa.bindparam("of_trial")).scalar_subquery()
_LOCK_STUDY_OF = Prepared(sa.select(studies).where(_THERE, studies.c.id == _STUDY_OF).with_for_update())
_LOCK_IF_FREE = Prepared(_SELECT_ONE.with_for_update(skip_locked=True))
_PLACE = (studies.c.created_at, studies.c.id)
_CLAIMABLE = (
    sa.select(*_PLACE)
    .where(studies.c.objective == sa.bindparam("objective"), sa.text(MAY_GIVE))
    .order_by(*_PLACE)
    .limit(CLAIMABLE_AT_ONCE)
)
_MORE_CLAIMABLE = _CLAIMABLE.where(sa.tuple_(*_PLACE) > sa.tuple_(*(sa.bindparam(column.name) for column in _PLACE)))


def _trials(status: TrialStatus) -> sa.ScalarSelect[int]:
    """How many search trials of a study have a status."""
    return (
        sa.select(trial_counts.c.trials)
        .where(
            trial_counts.c.study_id == studies.c.id,
            trial_counts.c.purpose == Purpose.SEARCH,
            trial_counts.c.status == status,
        )
        .scalar_subquery()
    )


_RUNNING = sa.select(
    studies.c.id,
    studies.c.last_event,
    studies.c.next_number,
    _trials(TrialStatus.WAITING).label("waiting"),
    _trials(TrialStatus.RUNNING).label("running"),
).where(studies.c.status == StudyStatus.RUNNING)
_UPDATE = sa.update(studies).where(studies.c.id == sa.bindparam("of_study"))
_CHANGE = Prepared(_UPDATE)
_DRAW_NUMBERS = Prepared(
    _UPDATE.values(
        next_number=studies.c.next_number + sa.bindparam("numbers"),
        budgeted=studies.c.budgeted + sa.bindparam("budget"),
        idle=False,
    ).returning(studies.c.next_number)
)
_ADD_TO_BUDGETED = Prepared(_UPDATE.values(budgeted=studies.c.budgeted + sa.bindparam("more"), idle=False))
_ADD_TO_EPOCHS = Prepared(_UPDATE.values(epochs=studies.c.epochs + sa.bindparam("more")))
_REST = Prepared(_UPDATE.where(studies.c.idle.is_(False)).values(idle=True))
_COUNTS = Prepared(
    sa.select(trial_counts.c.status, trial_counts.c.trials).where(
        trial_counts.c.study_id == sa.bindparam("of_study"), trial_counts.c.purpose == sa.bindparam("of_purpose")
    )
)
_COUNTS_OF = sa.select(trial_counts.c.study_id, trial_counts.c.status, trial_counts.c.trials).where(
    trial_counts.c.study_id.in_(sa.bindparam("of_studies", expanding=True)),
    trial_counts.c.purpose == sa.bindparam("of_purpose"),
)
