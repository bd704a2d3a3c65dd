"""Pages of a study's trials in any order, each put together from short stretches of an index.

An index holds the trials of one status in the order of their numbers, and of their values. A page over several
statuses is what comes first among the first of each, so that no page sorts more than a few times its own length.
"""

import math
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa

from service.domain.status import TrialStatus
from service.storage.prepared import Prepared
from service.storage.tables import trials

Sort: TypeAlias = Literal["number", "value", "-value"]
After: TypeAlias = Literal["start", "value", "number"]
"""Where a page begins: at the start, after a trial with a value, or after one that has only its number."""

RANKED = (TrialStatus.COMPLETED, TrialStatus.PRUNED)
"""Those that have a value, and no others have."""

_ROWS = sa.bindparam("rows", type_=sa.Integer)


@cache
def page_of(
    shown: sa.Select[Any], statuses: tuple[TrialStatus, ...], sort: Sort, after: After, *, in_round: bool
) -> Prepared:
    """At most `rows` trials as they are to be shown, those without a value last where they are sorted by it."""
    if sort == "number":
        return _merged(shown, [_by_number(status, after, in_round) for status in statuses], trials.c.number)
    valued = [] if after == "number" else [status for status in statuses if status in RANKED]
    stretches = [stretch for status in valued for stretch in _by_value(status, sort, after, in_round)]
    rest: After = "number" if after == "number" else "start"
    stretches += [_by_number(status, rest, in_round) for status in statuses if status not in RANKED]
    return _merged(shown, stretches, trials.c.value.is_(None), _direction(sort), trials.c.number)


@cache
def count_of(statuses: tuple[TrialStatus, ...], *, in_round: bool) -> Prepared:
    """How many trials of these statuses there are, counted up to `rows`."""
    # In an order that an index has: PostgreSQL would otherwise read on until it has met enough of them.
    stretches = [_by_number(status, "start", in_round) for status in statuses]
    found = sa.union_all(*(sa.select(stretch.subquery().c.id) for stretch in stretches)).limit(_ROWS)
    return Prepared(sa.select(sa.func.count().label("counted")).select_from(found.subquery()))


def _merged(shown: sa.Select[Any], stretches: Sequence[sa.Select[Any]], *order: sa.ColumnElement[Any]) -> Prepared:
    if not stretches:
        return Prepared(shown.where(sa.false()))
    found = sa.union_all(*(sa.select(stretch.subquery().c.id) for stretch in stretches))
    return Prepared(shown.where(trials.c.id.in_(found)).order_by(*order).limit(_ROWS))


def _by_number(status: TrialStatus, after: After, in_round: bool) -> sa.Select[Any]:
    rows = _of(status, in_round).order_by(trials.c.number).limit(_ROWS)
    return rows if after == "start" else rows.where(trials.c.number > sa.bindparam("after_number"))


def _by_value(status: TrialStatus, sort: Sort, after: After, in_round: bool) -> list[sa.Select[Any]]:
    """What ties with the trial that the page comes after, and what is beyond it.

    An index has ties in the order of their numbers in one direction only. So all is taken that is before
    the value with which the page ends, and of what ties with that value the lowest numbers.
    """
    rows = _of(status, in_round).where(trials.c.value.is_not(None))
    if after == "start":
        return _beyond(rows, sort)
    value = sa.bindparam("after_value", type_=sa.Float)
    ties = rows.where(trials.c.value == value, trials.c.number > sa.bindparam("after_number"))
    further = trials.c.value > value if sort == "value" else trials.c.value < value
    return [ties.order_by(trials.c.number).limit(_ROWS), *_beyond(rows, sort, further)]


def _beyond(rows: sa.Select[Any], sort: Sort, *further: sa.ColumnElement[bool]) -> list[sa.Select[Any]]:
    in_range = rows.where(*further)
    if sort == "value":
        return [in_range.order_by(trials.c.value, trials.c.number).limit(_ROWS)]
    values = in_range.with_only_columns(trials.c.value).order_by(trials.c.value.desc())
    edge = values.offset(_ROWS - 1).limit(1).scalar_subquery()
    before = in_range.where(trials.c.value > sa.func.coalesce(edge, -math.inf)).order_by(trials.c.value.desc())
    return [before.limit(_ROWS), rows.where(trials.c.value == edge).order_by(trials.c.number).limit(_ROWS)]


def _of(status: TrialStatus, in_round: bool) -> sa.Select[Any]:
    rows = sa.select(trials.c.id).where(
        trials.c.study_id == sa.bindparam("of_study"),
        trials.c.purpose == sa.bindparam("of_purpose"),
        trials.c.status == status,
    )
    return rows.where(trials.c.round == sa.bindparam("of_round")) if in_round else rows


def _direction(sort: Sort) -> sa.ColumnElement[Any]:
    return trials.c.value.asc() if sort == "value" else trials.c.value.desc()
