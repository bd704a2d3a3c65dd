"""Leases trials to a worker."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b

from service.domain.errors import StudyNotFound
from service.domain.facts import Happening
from service.domain.status import Purpose, StudyStatus, TrialStatus
from service.domain.study import RENEWALS_PER_LEASE, Study
from service.domain.trial import Trial
from service.operations.conclude import conclude
from service.operations.draw import draw, searches_at_once
from service.operations.expire import expire_leases
from service.operations.final_test import curve_ends, open_test_set
from service.operations.pause_worker import reason_to_pause
from service.operations.prune import Pruning
from service.storage.attempts import EpochNumbers
from service.storage.store import Signal, Store
from service.storage.workers import Terms


@dataclass(frozen=True, slots=True)
class Claim:
    """A trial with the study that it is of, leased."""

    trial: Trial
    study: Study
    best: float | None = None
    """The best value so far, in a study that keeps the weights behind it."""
    last_epoch: int | None = None
    """Where the curve stands under this lease, which may have been given in an answer that was lost."""
    curve_ends: Sequence[EpochNumbers] = ()
    """For a final test: the last epochs of the trainings that it follows."""

    @property
    def report_at(self) -> int | None:
        """The epoch after which the study's rule of early stopping wants the next report."""
        applied = Pruning.of(self.study, self.trial)
        return None if applied is None else applied.next_check(self.last_epoch or 0)

    @property
    def renew_seconds(self) -> float:
        """How often to renew the lease, so that losing a renewal or two is no harm."""
        return self.study.spec.lease_seconds / RENEWALS_PER_LEASE


@dataclass(frozen=True, slots=True)
class Handout:
    """What a worker is given, or why it is given nothing whatever there is."""

    claims: list[Claim]
    paused: str | None = None


def claim_trials(
    store: Store,
    worker: str,
    terms: Terms,
    count: int,
    request_id: str | None = None,
    pause_after: int = 0,
) -> Handout:
    """Lease at most `count` trials; the same request asked again gets the leases it still holds."""
    claimant = _Claimant(worker, terms, _request_key(worker, request_id or store.random_token()))
    if request_id is not None and (held := _held(store, claimant.request)):
        return Handout(held)
    reason = reason_to_pause(store, worker, pause_after)
    claims = [] if reason else _claim_anywhere(store, claimant, count)
    store.workers.seen(worker, terms, store.now)
    return Handout(claims, reason)


def claim_next(store: Store, ended: Trial, count: int, token: str) -> list[Claim]:
    """Lease more trials to the worker of one that has just ended, on the terms of its last claim, of its study first.

    The token under which it ended names the request, so that a worker that lost the answer can be given the same.
    """
    terms = store.workers.seen_again(ended.worker or "", store.now) if count > 0 else None
    if terms is None:
        return []
    claimant = _claimant_of(ended, terms, token)
    study = store.studies.get(ended.study_id)
    walk = _Walk(store, claimant, count, holds_study=True)
    if terms.study in (None, study.id, study.name):
        # It is locked already, and what was done to it stays whatever comes of this.
        walk.claims += _claim_in(store, study, claimant, count, keep=lambda: None)
    if len(walk.claims) < count:
        walk.through(one for one in _other_candidates(store, terms) if one != study.id)
    return walk.claims


def claim_again(store: Store, ended: Trial, count: int, token: str) -> list[Claim]:
    """The same for one that had ended before: what was leased to its worker then, and is still.

    Nothing else, for its worker may have heard the first answer and gone on: nobody would run what is leased to it.
    """
    return _held(store, _request_of(ended, token)) if count > 0 else []


@dataclass(frozen=True, slots=True)
class _Claimant:
    worker: str
    terms: Terms
    request: str


def _held(store: Store, request: str) -> list[Claim]:
    """The leases that were given in answer to the same request and that are still in force."""
    store.serialise(request)
    return [_again(store, trial) for trial in store.trials.claimed_with(request)]


@dataclass(slots=True)
class _Walk:
    """Through studies, until there are enough trials.

    Whoever has a study locked never waits for another one, since two that do so could wait for each other: it
    passes by what others have locked, and leaves what had nothing to give.
    """

    store: Store
    claimant: _Claimant
    count: int
    holds_study: bool = False
    claims: list[Claim] = field(default_factory=list)

    def through(self, studies: Iterable[str], without: Collection[str] = ()) -> None:
        """Wait for none of those that it is to do without, if it can."""
        for study_id in studies:
            if len(self.claims) == self.count:
                break
            with self.store.tentative() as attempt:
                study = self.store.studies.lock(study_id, wait=not self.holds_study and study_id not in without)
                if study is not None:
                    wanted = self.count - len(self.claims)
                    self.claims += _claim_in(self.store, study, self.claimant, wanted, attempt.keep)
            self.holds_study = self.holds_study or attempt.kept


def _claim_anywhere(store: Store, claimant: _Claimant, count: int) -> list[Claim]:
    """In the order of the studies, but first without those that were waited for in vain; the latest of these last."""
    walk = _Walk(store, claimant, count)
    walk.through(_candidates(store, claimant.terms), without=store.kept)
    if store.kept and not walk.claims and not walk.holds_study:
        places = {study_id: place for place, study_id in enumerate(store.kept)}
        walk.through(sorted(_candidates(store, claimant.terms), key=lambda study_id: places.get(study_id, -1)))
    return walk.claims


def _claimant_of(ended: Trial, terms: Terms, token: str) -> _Claimant:
    return _Claimant(ended.worker or "", terms, _request_of(ended, token))


def _request_of(ended: Trial, token: str) -> str:
    return _request_key(ended.worker or "", token)


def _other_candidates(store: Store, terms: Terms) -> Iterable[str]:
    try:
        return _candidates(store, terms)
    except StudyNotFound:
        # The study that the worker was told to serve is gone: no reason to refuse what it has completed.
        return []


def _candidates(store: Store, terms: Terms) -> Iterable[str]:
    if terms.study is not None:
        return [store.studies.get(terms.study).id]
    return _with_expired(store, store.studies.claimable(terms.objectives))


def _with_expired(store: Store, claimable: Iterable[str]) -> Iterator[str]:
    """Last those of which the sweep has yet to take trials back: they may have had nothing to give."""
    yield from claimable
    yield from store.trials.studies_with_expired(store.now)


def _claim_in(store: Store, study: Study, claimant: _Claimant, count: int, keep: Callable[[], None]) -> list[Claim]:
    if expire_leases(store, study):
        keep()
        study = store.studies.get(study.id)
    if study.spec.objective.name not in claimant.terms.objectives:
        return []
    waiting = _waiting(store, study, claimant.terms, _allowed(store, study, count), keep)
    if not waiting and _rests(store, study, claimant.terms) and store.studies.rest(study.id):
        keep()
    return [_lease(store, study, trial, claimant) for trial in waiting]


def _waiting(store: Store, study: Study, terms: Terms, count: int, keep: Callable[[], None]) -> list[Trial]:
    """What may be leased of a study, drawn where too little waits."""
    purposes = _purposes(store, study, terms)
    if count < 1 or not purposes:
        return []
    waiting = store.trials.next_waiting(study.id, purposes, count)
    if Purpose.SEARCH in purposes and len(waiting) < count and study.reached(store.now) is None:
        if drawn := draw(store, study, count - len(waiting)):
            waiting += drawn
        else:
            # Also where something else waits: nothing that follows its end brings the search to its own.
            conclude(store, study.id)
            keep()
            # A bound that was reached just now has given up what waited.
            waiting = store.trials.next_waiting(study.id, purposes, count)
    if waiting:
        keep()
    return waiting


def _rests(store: Store, study: Study, terms: Terms) -> bool:
    """Whether a study that has nothing for one worker has nothing for any, until something changes in it."""
    if _allowed(store, study, 1) < 1:
        return True
    return Purpose.SEARCH in terms.purposes and not store.trials.next_waiting(study.id, list(Purpose), 1)


def _allowed(store: Store, study: Study, count: int) -> int:
    most = study.spec.max_parallel
    return count if most is None else min(count, most - store.studies.running_trials(study.id))


def _purposes(store: Store, study: Study, terms: Terms) -> list[Purpose]:
    searching = study.status is StudyStatus.RUNNING and study.over(store.now) is None
    others = study.status in (StudyStatus.RUNNING, StudyStatus.COMPLETED)
    return [purpose for purpose in terms.purposes if (searching if purpose is Purpose.SEARCH else others)]


def _lease(store: Store, study: Study, trial: Trial, claimant: _Claimant) -> Claim:
    token = f"{trial.leases + 1:08d}-{store.random_token()}"
    expires_at = store.now + timedelta(seconds=study.spec.lease_seconds)
    leased = store.trials.start(
        trial,
        token=token,
        expires_at=expires_at,
        worker=claimant.worker,
        claim_request=claimant.request,
        now=store.now,
    )
    store.attempts.open(leased, store.now)
    if trial.purpose is Purpose.FINAL_TEST:
        open_test_set(store, leased)
    if study.started_at is None and trial.purpose is Purpose.SEARCH:
        _start(store, study)
    if not searches_at_once(study):
        store.announce(Signal.HISTORY)
    store.note(Happening.TRIAL_CLAIMED)
    return Claim(leased, study, _best(store, study), curve_ends=curve_ends(store, leased))


def _best(store: Store, study: Study) -> float | None:
    if study.spec.keep_weights == "none":
        return None
    best = store.trials.best(study.id, study.spec.metric.goal, 1)
    return best[0].value if best and best[0].status is TrialStatus.COMPLETED else None


def _start(store: Store, study: Study) -> None:
    seconds = study.spec.budget.seconds
    ends_at = None if seconds is None else store.now + timedelta(seconds=seconds)
    store.studies.update(study.id, started_at=store.now, ends_at=ends_at)


def _again(store: Store, held: Trial) -> Claim:
    study = store.studies.get(held.study_id)
    last_epoch = store.attempts.last_epoch(held.id, held.leases)
    return Claim(held, study, _best(store, study), last_epoch, curve_ends(store, held))


def _request_key(worker: str, request_id: str) -> str:
    return blake2b(f"{worker}\n{request_id}".encode(), digest_size=16).hexdigest()
