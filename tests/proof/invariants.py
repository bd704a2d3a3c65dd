"""What holds in a database at every moment, whatever was asked in whatever order; each breach is a sentence."""

from collections import Counter
from collections.abc import Callable, Iterator

from service.domain.status import FINISHED, UNFINISHED, AttemptEnd, Purpose, StudyStatus, TrialStatus
from service.domain.trial import Origin
from service.storage.events import EventKind
from tests.proof.picture import Picture, Row

ENDS_OF = {
    TrialStatus.COMPLETED: {AttemptEnd.COMPLETED},
    TrialStatus.PRUNED: {AttemptEnd.PRUNED},
    TrialStatus.FAILED: {AttemptEnd.FAILED, AttemptEnd.LOST},
}
"""How the last attempt ended of a trial in a status; a cancelled one may never have run."""


def breaches(picture: Picture) -> list[str]:
    """Every sentence that should not be true of a database."""
    in_studies = [said for law in _OF_STUDIES for study in picture.studies.values() for said in law(picture, study)]
    in_trials = [said for law in _OF_TRIALS for trial in picture.trials.values() for said in law(picture, trial)]
    return [*in_studies, *in_trials, *_tokens_of_their_own(picture)]


def over_budget(picture: Picture) -> Iterator[str]:
    """Studies that have more trials than their budget allows, whose budget nobody has lowered."""
    for study in picture.studies.values():
        bound = picture.spec(study.id).budget.trials
        if bound is not None and study.budgeted > bound:
            yield f"study {study.name} has {study.budgeted} trials and a budget of {bound}"


def stuck(picture: Picture) -> Iterator[str]:
    """Trials that wait or run, and studies that go on, where everybody has had all the time he needs."""
    for trial in picture.trials.values():
        if trial.status in UNFINISHED:
            yield f"trial {trial.id} is {trial.status} and nobody gets on with it: {trial}"
    for study in picture.studies.values():
        if study.status not in (StudyStatus.COMPLETED, StudyStatus.STOPPED):
            yield f"study {study.name} is {study.status} and does not end: {study}"


def unused_budget(picture: Picture) -> Iterator[str]:
    """Studies that have ended by the number of their trials before all of them were used."""
    for study in picture.studies.values():
        bound = picture.spec(study.id).budget.trials
        if study.status == StudyStatus.COMPLETED and study.ended_by == "trials":
            ended = sum(trial.status in FINISHED for trial in picture.of(study.id) if _is_budgeted(trial))
            if bound is None or ended < bound:
                yield f"study {study.name} has ended with {ended} trials of its {bound}"


def wrongly_credited(picture: Picture) -> Iterator[str]:
    """Workers that count other results than theirs, as long as no study has been deleted."""
    made = [one for all_made in picture.attempts.values() for one in all_made]
    done = Counter((one.worker, one.end) for one in made)
    for worker in picture.workers.values():
        if (
            done[worker.name, AttemptEnd.COMPLETED] != worker.completed
            or done[worker.name, AttemptEnd.FAILED] != worker.failed
        ):
            yield f"worker {worker.name} counts {worker.completed} and {worker.failed}, and has ended {done}"


def _numbers(picture: Picture, study: Row) -> Iterator[str]:
    numbers = [trial.number for trial in picture.of(study.id)]
    if numbers != list(range(study.next_number)):
        yield f"study {study.name} has the numbers {numbers} and would go on with {study.next_number}"


def _counts(picture: Picture, study: Row) -> Iterator[str]:
    counted = Counter((trial.purpose, trial.status) for trial in picture.of(study.id))
    for purpose in Purpose:
        for status in TrialStatus:
            kept = picture.counts.get((study.id, purpose, status))
            if kept != counted[purpose, status]:
                yield f"study {study.name} counts {kept} {purpose} trials {status}, and has {counted[purpose, status]}"


def _is_budgeted(trial: Row) -> bool:
    counts = trial.purpose == Purpose.SEARCH and trial.origin != Origin.IMPORTED
    return counts and trial.status != TrialStatus.CANCELLED


def _budget(picture: Picture, study: Row) -> Iterator[str]:
    budgeted = sum(map(_is_budgeted, picture.of(study.id)))
    if budgeted != study.budgeted:
        yield f"study {study.name} has {budgeted} trials that count, and counts {study.budgeted}"


def _parallel(picture: Picture, study: Row) -> Iterator[str]:
    most = picture.spec(study.id).max_parallel
    running = sum(trial.status == TrialStatus.RUNNING for trial in picture.of(study.id))
    if most is not None and running > most:
        yield f"study {study.name} runs {running} trials at once and may run {most}"


def _epochs(picture: Picture, study: Row) -> Iterator[str]:
    searched = {trial.id for trial in picture.of(study.id) if trial.purpose == Purpose.SEARCH}
    reported = sum(len(epochs) for (trial, _), epochs in picture.curves.items() if trial in searched)
    if reported != study.epochs:
        yield f"study {study.name} has {reported} epochs and counts {study.epochs}"


def _events(picture: Picture, study: Row) -> Iterator[str]:
    sequences = [event.sequence for event in picture.events.get(study.id, ())]
    if sequences != list(range(1, study.last_event + 1)):
        yield f"study {study.name} has the events {sequences} and last {study.last_event}"


def _ends(picture: Picture, study: Row) -> Iterator[str]:
    """Each end of a trial is one event, and each beginning anew is one."""
    happened = Counter((event.kind, event.trial) for event in picture.events.get(study.id, ()))
    for trial in picture.of(study.id):
        ends = happened[EventKind.FINISHED, trial.number] - happened[EventKind.RETRIED, trial.number]
        expected = trial.status not in UNFINISHED and trial.origin != Origin.IMPORTED
        if ends != expected:
            yield f"trial {trial.id} is {trial.status} and has ended {ends} times"


def _status(picture: Picture, study: Row) -> Iterator[str]:
    left = {(trial.purpose, trial.status) for trial in picture.of(study.id) if trial.status in UNFINISHED}
    searching = any(purpose == Purpose.SEARCH for purpose, _ in left)
    waiting = any(status == TrialStatus.WAITING for _, status in left)
    over = study.status in (StudyStatus.COMPLETED, StudyStatus.STOPPED)
    if (study.status == StudyStatus.COMPLETED and searching) or (study.status == StudyStatus.STOPPED and waiting):
        yield f"study {study.name} is {study.status}, and there are {left}"
    if over != (study.finished_at is not None):
        yield f"study {study.name} is {study.status}, finished at {study.finished_at}"


def _leases(picture: Picture, trial: Row) -> Iterator[str]:
    """One attempt a lease, numbered as its token is; the last one alone may be open, and is while the trial runs."""
    made = picture.attempts.get(trial.id, ())
    if [one.lease for one in made] != list(range(1, trial.leases + 1)):
        yield f"trial {trial.id} was leased {trial.leases} times and has the attempts {made}"
    if any(int(one.token.split("-")[0]) != one.lease for one in made):
        yield f"trial {trial.id} has tokens that do not grow: {made}"
    in_force = [trial.lease_token] if trial.status == TrialStatus.RUNNING else []
    if [one.token for one in made if one.end is None] != in_force or any(one.end is None for one in made[:-1]):
        yield f"trial {trial.id} is {trial.status} under {trial.lease_token} and has the attempts {made}"
    if (trial.lease_expires_at is None) != (trial.lease_token is None):
        yield f"trial {trial.id} has half a lease: {trial}"


def _attempts(picture: Picture, trial: Row) -> Iterator[str]:
    counted = sum(one.end != AttemptEnd.RELEASED for one in picture.attempts.get(trial.id, ()))
    if not counted <= trial.attempt <= min(trial.leases, trial.attempts_allowed):
        yield f"trial {trial.id} is at attempt {trial.attempt} of {trial.attempts_allowed}, having made {counted}"


def _result(picture: Picture, trial: Row) -> Iterator[str]:
    """What was recorded came from the last attempt, once, and nothing of it stands beside another end."""
    ends = [one.end for one in picture.attempts.get(trial.id, ())]
    imported = trial.origin == Origin.IMPORTED
    if not imported and trial.status in ENDS_OF and (not ends or ends[-1] not in ENDS_OF[trial.status]):
        yield f"trial {trial.id} is {trial.status}, its attempts ended {ends}"
    for end in (AttemptEnd.COMPLETED, AttemptEnd.PRUNED):
        if ends.count(end) != (trial.status == end and not imported):
            yield f"trial {trial.id} is {trial.status}, and its attempts ended {ends}"
    has_value = trial.status in (TrialStatus.COMPLETED, TrialStatus.PRUNED)
    if has_value != (trial.value is not None) or (trial.status == TrialStatus.FAILED) != (
        trial.failure_reason is not None
    ):
        yield f"trial {trial.id} is {trial.status} with {trial.value} and {trial.failure_reason}"
    if (trial.status in UNFINISHED) != (trial.finished_event is None):
        yield f"trial {trial.id} is {trial.status} and was finished by event {trial.finished_event}"


def _curve(picture: Picture, trial: Row) -> Iterator[str]:
    for made in picture.attempts.get(trial.id, ()):
        epochs = [epoch["epoch"] for epoch in picture.curves.get((trial.id, made.lease), [])]
        if epochs != sorted(set(epochs)) or made.last_epoch != (epochs[-1] if epochs else None):
            yield f"trial {trial.id}, lease {made.lease}, has the epochs {epochs} and last {made.last_epoch}"


def _tokens_of_their_own(picture: Picture) -> Iterator[str]:
    tokens = Counter(one.token for made in picture.attempts.values() for one in made)
    yield from (f"the token {token} was given {times} times" for token, times in tokens.items() if times > 1)


_OF_STUDIES: tuple[Callable[[Picture, Row], Iterator[str]], ...] = (
    _numbers,
    _counts,
    _budget,
    _parallel,
    _epochs,
    _events,
    _ends,
    _status,
)
_OF_TRIALS: tuple[Callable[[Picture, Row], Iterator[str]], ...] = (_leases, _attempts, _result, _curve)
