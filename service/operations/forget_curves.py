"""Removes the learning curves of old trials that nobody will look at: values, attempts and provenance stay."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from service.domain.ranking import leaders
from service.domain.status import Purpose
from service.domain.study import Study
from service.domain.trial import Trial
from service.operations.best import noise_among_best, observed
from service.storage.curves import FIRST, Ended
from service.storage.store import Database, Store
from service.storage.studies import StudyFilter

LOOKED_AT_ONCE = 500
"""So many trials are looked at in one transaction, so that whoever writes meanwhile waits for a moment only."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Which curves stay: of trials that ended later than so long ago, of so many of the best, besides leaders."""

    older_than: timedelta
    keep_best: int


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many curves went, about how many bytes they took up, and where to go on; None at the end."""

    curves: int
    size: int
    following: Ended | None


def forget_curves(
    store: Store, study_name: str, retention: Retention, after: Ended = FIRST, *, dry_run: bool = False
) -> Forgotten:
    """Remove what of the next trials is not to stay; a dry run only counts."""
    study = store.studies.get(study_name, lock=True)
    ended = store.curves.ended(study.id, after, LOOKED_AT_ONCE)
    old = [trial for trial in ended if _is_old(store, trial, retention)]
    sizes = store.curves.sizes([trial.id for trial in old])
    kept = _kept(store, study, [trial for trial in old if trial.id in sizes], retention.keep_best)
    removed = sizes.keys() - kept
    if not dry_run:
        store.curves.remove(list(removed))
    goes_on = len(old) == LOOKED_AT_ONCE
    following = Ended(ended[-1].finished_event or 0, ended[-1].number) if goes_on else None
    return Forgotten(len(removed), sum(sizes[trial_id] for trial_id in removed), following)


def forget_everywhere(
    database: Database, study: str | None, retention: Retention, *, dry_run: bool
) -> Iterator[Forgotten]:
    """The same in one study from end to end, or in all, in a transaction for each part."""
    for name in _every_study(database) if study is None else [study]:
        following: Ended | None = FIRST
        while following is not None:
            part = partial(_part, name, retention, following, dry_run)
            done = database.write(part)
            yield done
            following = done.following


def _part(study: str, retention: Retention, after: Ended, dry_run: bool, store: Store) -> Forgotten:
    return forget_curves(store, study, retention, after, dry_run=dry_run)


def _every_study(database: Database) -> Iterator[str]:
    after = None
    while page := database.read(partial(_page, after)):
        yield from (study.id for study in page)
        after = page[-1].created_at, page[-1].id


def _page(after: tuple[datetime, str] | None, store: Store) -> list[Study]:
    return store.studies.page(StudyFilter(), after, LOOKED_AT_ONCE)


def _is_old(store: Store, trial: Trial, retention: Retention) -> bool:
    return trial.finished_at is not None and trial.finished_at <= store.now - retention.older_than


def _kept(store: Store, study: Study, candidates: Sequence[Trial], count: int) -> set[int]:
    """The best, those that cannot be told apart from the best one, and those that are trained again."""
    if not candidates:
        return set()
    best = store.trials.best(study.id, study.spec.metric.goal, max(1, count))
    again = store.trials.of_purpose(study.id, Purpose.CONFIRMATION) + store.trials.of_purpose(
        study.id, Purpose.FINAL_TEST
    )
    sources = {trial.source for trial in again}
    noise = noise_among_best(store, study)
    told = leaders([observed(trial) for trial in (*best[:1], *candidates)], study.spec.metric.goal, noise)
    leading = [trial.id for trial, leads in zip(candidates, told[len(best[:1]) :], strict=True) if leads]
    return {*leading, *(one.id for one in best), *(one.id for one in candidates if one.number in sources)}
