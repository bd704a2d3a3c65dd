"""What may come of a database's moment, whatever was asked in between; each breach is a sentence."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from service.domain.status import UNFINISHED, StudyStatus, TrialStatus
from tests.proof.picture import Picture, Row

FOR_GOOD = ("study_id", "number", "purpose", "seed", "split", "source", "created_at")


def breaches(before: Picture, after: Picture) -> list[str]:
    """Every sentence that should not be true of what has become of a database."""
    there = [study for study in before.studies if study in after.studies]
    in_studies = [said for study in there for said in _study(before, after, study)]
    trials = [trial for study in there for trial in before.of(study)]
    return in_studies + [said for trial in trials for said in _trial(before, after, trial)]


def taken_early(before: Picture, after: Picture, now: datetime, given_up: str | None) -> Iterator[str]:
    """Leases that were in force and had time left, and yet were ended by somebody else than their holder."""
    for trial in before.trials.values():
        left = trial.id in after.trials and trial.status == TrialStatus.RUNNING and trial.lease_expires_at >= now
        if left and trial.lease_token not in (given_up, after.trials[trial.id].lease_token):
            yield f"trial {trial.id} was taken from the holder of {trial.lease_token} before its time"


def leased(before: Picture, after: Picture) -> set[int]:
    """The trials that were leased in between, at least once."""
    return {trial.id for trial in after.trials.values() if trial.leases > _leases(before, trial.id)}


def revived(before: Picture, after: Picture) -> set[int]:
    """The trials that had ended and go on."""
    ended = (trial for trial in before.trials.values() if trial.status not in UNFINISHED)
    return {trial.id for trial in ended if trial.id in after.trials and after.trials[trial.id].status in UNFINISHED}


def _leases(picture: Picture, trial_id: int) -> int:
    return int(picture.trials[trial_id].leases) if trial_id in picture.trials else 0


def _study(before: Picture, after: Picture, study_id: str) -> Iterator[str]:
    was, now = before.studies[study_id], after.studies[study_id]
    bound = after.spec(study_id).budget.trials
    if bound is not None and now.budgeted > max(bound, was.budgeted):
        yield f"study {now.name} went from {was.budgeted} to {now.budgeted} trials with a budget of {bound}"
    if was.status == StudyStatus.STOPPED and now.status != StudyStatus.STOPPED:
        yield f"study {now.name} was stopped and is {now.status}"
    if not _begins_with(after.events[study_id], before.events[study_id]):
        yield f"study {now.name} has other events than it had"


def _trial(before: Picture, after: Picture, was: Row) -> Iterator[str]:
    now = after.trials.get(was.id)
    if now is None:
        yield f"trial {was.id} is gone"
        return
    ended = [one for one in before.attempts.get(was.id, ()) if one.end is not None]
    if not _begins_with(after.attempts.get(was.id, ()), ended):
        yield f"trial {was.id} has other ends of attempts than it had: {ended}"
    if any(getattr(was, name) != getattr(now, name) for name in FOR_GOOD) or (was.leases and was.params != now.params):
        yield f"trial {was.id} is another than it was: {was}, {now}"
    if was.status not in UNFINISHED and now.status not in UNFINISHED and was != now:
        yield f"trial {was.id} had ended as {was} and is {now}"
    for lease in range(1, was.leases + 1):
        if not _begins_with(after.curves.get((was.id, lease), []), before.curves.get((was.id, lease), [])):
            yield f"trial {was.id} has another curve under lease {lease} than it had"


def _begins_with(longer: Sequence[object], shorter: Sequence[object]) -> bool:
    return list(longer[: len(shorter)]) == list(shorter)
