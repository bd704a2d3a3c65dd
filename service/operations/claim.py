"""Leases trials to a worker."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b

from service.domain.status import Purpose, StudyStatus, TrialStatus
from service.domain.study import Study
from service.domain.trial import Trial
from service.operations.conclude import conclude
from service.operations.draw import draw
from service.operations.expire import expire_leases
from service.storage.store import Signal, Store
from service.storage.workers import Terms

RENEWALS_PER_LEASE = 3


@dataclass(frozen=True, slots=True)
class Claim:
    """A trial with the study that it is of, leased."""

    trial: Trial
    study: Study
    last_epoch: int | None = None
    """Where the curve stands under this lease, which may have been given in an answer that was lost."""

    @property
    def renew_seconds(self) -> float:
        """How often to renew the lease, so that losing a renewal or two is no harm."""
        return self.study.spec.lease_seconds / RENEWALS_PER_LEASE


def claim_trials(store: Store, worker: str, terms: Terms, count: int, request_id: str | None = None) -> list[Claim]:
    """Lease at most `count` trials; the same request asked again gets the leases it still holds."""
    request = _request_key(worker, request_id or store.random_token())
    if request_id is not None and (held := store.trials.claimed_with(request)):
        return [_again(store, trial) for trial in held]
    expire_leases(store)
    claims: list[Claim] = []
    for study_id in _candidates(store, terms):
        if len(claims) < count:
            claims += _claim_in(store, study_id, worker, terms, count - len(claims), request)
    store.workers.seen(worker, terms, store.now)
    return claims


def claim_next(store: Store, worker: str, count: int, request_id: str) -> list[Claim]:
    """Lease more trials to a worker, on the terms of its last claim."""
    terms = store.workers.terms(worker)
    return [] if terms is None or count < 1 else claim_trials(store, worker, terms, count, request_id)


def _candidates(store: Store, terms: Terms) -> Sequence[str]:
    if terms.study is not None:
        return [store.studies.get(terms.study).id]
    statuses = [StudyStatus.RUNNING]
    if set(terms.purposes) - {Purpose.SEARCH}:
        statuses.append(StudyStatus.COMPLETED)
    return store.studies.claimable(terms.objectives, statuses)


def _claim_in(store: Store, study_id: str, worker: str, terms: Terms, count: int, request: str) -> list[Claim]:
    study = store.studies.get(study_id, lock=True)
    count = _allowed(study, count)
    purposes = _purposes(study, terms)
    if study.spec.objective.name not in terms.objectives or count < 1 or not purposes:
        return []
    waiting = store.trials.next_waiting(study.id, purposes, count)
    if Purpose.SEARCH in purposes and len(waiting) < count and study.reached(store.now) is None:
        if draw(store, study, count - len(waiting)):
            waiting = store.trials.next_waiting(study.id, purposes, count)
        elif not waiting:
            conclude(store, study.id)
    return [_lease(store, study, trial, worker, request) for trial in waiting]


def _allowed(study: Study, count: int) -> int:
    most = study.spec.max_parallel
    return count if most is None else min(count, most - study.counts.get(TrialStatus.RUNNING, 0))


def _purposes(study: Study, terms: Terms) -> list[Purpose]:
    if study.status is StudyStatus.RUNNING:
        return list(terms.purposes)
    return [p for p in terms.purposes if p is not Purpose.SEARCH and study.status is StudyStatus.COMPLETED]


def _lease(store: Store, study: Study, trial: Trial, worker: str, request: str) -> Claim:
    token = f"{trial.leases + 1:08d}-{store.random_token()}"
    expires_at = store.now + timedelta(seconds=study.spec.lease_seconds)
    leased = store.trials.start(
        trial, token=token, expires_at=expires_at, worker=worker, claim_request=request, now=store.now
    )
    store.attempts.open(leased, store.now)
    if study.started_at is None:
        _start(store, study)
    store.announce(Signal.HISTORY)
    return Claim(leased, study)


def _start(store: Store, study: Study) -> None:
    seconds = study.spec.budget.seconds
    ends_at = None if seconds is None else store.now + timedelta(seconds=seconds)
    store.studies.update(study.id, started_at=store.now, ends_at=ends_at)


def _again(store: Store, held: Trial) -> Claim:
    last_epoch = store.attempts.last_epoch(held.id, held.leases)
    return Claim(held, store.studies.get(held.study_id), last_epoch)


def _request_key(worker: str, request_id: str) -> str:
    return blake2b(f"{worker}\n{request_id}".encode(), digest_size=16).hexdigest()
